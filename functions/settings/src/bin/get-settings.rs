//! The function `get-settings`.

fn main() {
    runtime::serve(&settings::GET);
}
