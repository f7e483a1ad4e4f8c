//! The function `list-webhooks`.

fn main() {
    runtime::serve(&webhooks::LIST);
}
