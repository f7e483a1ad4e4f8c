//! The function `change-password`.

fn main() {
    runtime::serve(&accounts::CHANGE_PASSWORD);
}
