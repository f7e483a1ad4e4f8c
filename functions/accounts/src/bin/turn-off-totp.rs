//! The function `turn-off-totp`.

fn main() {
    runtime::serve(&accounts::TURN_OFF_TOTP);
}
