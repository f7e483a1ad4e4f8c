//! The function `delete-field-group`.

fn main() {
    runtime::serve(&field_groups::DELETE);
}
