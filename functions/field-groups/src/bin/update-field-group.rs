//! The function `update-field-group`.

fn main() {
    runtime::serve(&field_groups::UPDATE);
}
