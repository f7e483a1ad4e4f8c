//! The function `end-session`.

fn main() {
    runtime::serve(&accounts::END_SESSION);
}
