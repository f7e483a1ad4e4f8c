//! The function `list-entities`.

fn main() {
    runtime::serve(&values::LIST_ENTITIES);
}
