//! The function `restore-tenant-field`.

fn main() {
    runtime::serve(&fields::RESTORE_TENANT);
}
