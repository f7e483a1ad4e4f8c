//! The function `accept-invitation`.

fn main() {
    runtime::serve(&accounts::ACCEPT_INVITATION);
}
