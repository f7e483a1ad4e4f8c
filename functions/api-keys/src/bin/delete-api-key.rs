//! The function `delete-api-key`.

fn main() {
    runtime::serve(&api_keys::DELETE);
}
