//! The function `create-field-group`.

fn main() {
    runtime::serve(&field_groups::CREATE);
}
