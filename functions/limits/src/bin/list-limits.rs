//! The function `list-limits`.

fn main() {
    runtime::serve(&limits::LIST);
}
