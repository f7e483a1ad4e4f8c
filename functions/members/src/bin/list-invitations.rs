//! The function `list-invitations`.

fn main() {
    runtime::serve(&members::LIST_INVITATIONS);
}
