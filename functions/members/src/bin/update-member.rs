//! The function `update-member`.

fn main() {
    runtime::serve(&members::UPDATE);
}
