//! The function `list-tenants`.

fn main() {
    runtime::serve(&tenants::LIST);
}
