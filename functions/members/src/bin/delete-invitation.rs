//! The function `delete-invitation`.

fn main() {
    runtime::serve(&members::TAKE_BACK);
}
