//! The function `invite-member`.

fn main() {
    runtime::serve(&members::INVITE);
}
