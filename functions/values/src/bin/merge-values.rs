//! The function `merge-values`.

fn main() {
    runtime::serve(&values::MERGE);
}
