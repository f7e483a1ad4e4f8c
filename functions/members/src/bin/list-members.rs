//! The function `list-members`.

fn main() {
    runtime::serve(&members::LIST);
}
