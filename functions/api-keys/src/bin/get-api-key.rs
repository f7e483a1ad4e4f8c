//! The function `get-api-key`.

fn main() {
    runtime::serve(&api_keys::GET);
}
