//! The function `get-client`.

fn main() {
    runtime::serve(&clients::GET);
}
