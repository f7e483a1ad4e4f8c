//! The function `get-field-group`.

fn main() {
    runtime::serve(&field_groups::GET);
}
