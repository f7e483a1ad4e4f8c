//! The function `get-tenant`.

fn main() {
    runtime::serve(&tenants::GET);
}
