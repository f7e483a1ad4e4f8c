//! The function `update-client`.

fn main() {
    runtime::serve(&clients::UPDATE);
}
