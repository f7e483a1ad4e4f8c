//! The function `end-other-sessions`.

fn main() {
    runtime::serve(&accounts::END_OTHER_SESSIONS);
}
