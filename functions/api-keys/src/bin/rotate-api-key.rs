//! The function `rotate-api-key`.

fn main() {
    runtime::serve(&api_keys::ROTATE);
}
