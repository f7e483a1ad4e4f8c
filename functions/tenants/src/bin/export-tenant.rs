//! The function `export-tenant`.

fn main() {
    runtime::serve(&tenants::EXPORT);
}
