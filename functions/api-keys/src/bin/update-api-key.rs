//! The function `update-api-key`.

fn main() {
    runtime::serve(&api_keys::UPDATE);
}
