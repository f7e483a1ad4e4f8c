//! The function `list-global-fields`.

fn main() {
    runtime::serve(&fields::LIST_GLOBAL);
}
