//! The function `update-tenant-field`.

fn main() {
    runtime::serve(&fields::UPDATE_TENANT);
}
