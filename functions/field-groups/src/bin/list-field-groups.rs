//! The function `list-field-groups`.

fn main() {
    runtime::serve(&field_groups::LIST);
}
