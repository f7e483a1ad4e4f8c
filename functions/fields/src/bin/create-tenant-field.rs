//! The function `create-tenant-field`.

fn main() {
    runtime::serve(&fields::CREATE_TENANT);
}
