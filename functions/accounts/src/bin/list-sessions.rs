//! The function `list-sessions`.

fn main() {
    runtime::serve(&accounts::LIST_SESSIONS);
}
