//! The function `confirm-password-reset`.

fn main() {
    runtime::serve(&accounts::CONFIRM_PASSWORD_RESET);
}
