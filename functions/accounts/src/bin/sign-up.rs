//! The function `sign-up`.

fn main() {
    runtime::serve(&accounts::SIGN_UP);
}
