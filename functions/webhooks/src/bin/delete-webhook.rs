//! The function `delete-webhook`.

fn main() {
    runtime::serve(&webhooks::DELETE);
}
