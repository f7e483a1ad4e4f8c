//! The function `purge-deleted`.

fn main() {
    runtime::consume(&jobs::PURGE_DELETED);
}
