//! The function `list-deliveries`.

fn main() {
    runtime::serve(&webhooks::LIST_DELIVERIES);
}
