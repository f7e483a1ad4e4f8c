//! The function `erase-clients`.

fn main() {
    runtime::consume(&clients::ERASE_CLIENTS);
}
