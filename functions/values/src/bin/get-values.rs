//! The function `get-values`.

fn main() {
    runtime::serve(&values::GET);
}
