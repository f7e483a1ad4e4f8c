//! The function `get-tenant-field`.

fn main() {
    runtime::serve(&fields::GET_TENANT);
}
