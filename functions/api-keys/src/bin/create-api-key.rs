//! The function `create-api-key`.

fn main() {
    runtime::serve(&api_keys::CREATE);
}
