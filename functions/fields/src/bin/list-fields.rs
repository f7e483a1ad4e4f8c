//! The function `list-fields`.

fn main() {
    runtime::serve(&fields::LIST);
}
