//! The function `update-settings`.

fn main() {
    runtime::serve(&settings::UPDATE);
}
