//! The function `delete-tenant-field`.

fn main() {
    runtime::serve(&fields::DELETE_TENANT);
}
