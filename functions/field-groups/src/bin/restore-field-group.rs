//! The function `restore-field-group`.

fn main() {
    runtime::serve(&field_groups::RESTORE);
}
