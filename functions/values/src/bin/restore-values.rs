//! The function `restore-values`.

fn main() {
    runtime::serve(&values::RESTORE);
}
