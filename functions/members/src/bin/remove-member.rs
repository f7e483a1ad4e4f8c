//! The function `remove-member`.

fn main() {
    runtime::serve(&members::REMOVE);
}
