//! The function `replace-values`.

fn main() {
    runtime::serve(&values::REPLACE);
}
