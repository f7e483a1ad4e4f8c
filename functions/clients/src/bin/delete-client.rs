//! The function `delete-client`.

fn main() {
    runtime::serve(&clients::DELETE);
}
