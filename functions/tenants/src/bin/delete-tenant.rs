//! The function `delete-tenant`.

fn main() {
    runtime::serve(&tenants::DELETE);
}
