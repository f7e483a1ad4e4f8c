//! The function `request-password-reset`.

fn main() {
    runtime::serve(&accounts::REQUEST_PASSWORD_RESET);
}
