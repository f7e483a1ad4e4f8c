//! The function `confirm-totp`.

fn main() {
    runtime::serve(&accounts::CONFIRM_TOTP);
}
