//! The function `list-api-keys`.

fn main() {
    runtime::serve(&api_keys::LIST);
}
