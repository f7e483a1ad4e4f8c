//! The function `delete-values`.

fn main() {
    runtime::serve(&values::DELETE);
}
