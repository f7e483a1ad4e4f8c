//! The function `start-totp`.

fn main() {
    runtime::serve(&accounts::START_TOTP);
}
