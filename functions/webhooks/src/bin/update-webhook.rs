//! The function `update-webhook`.

fn main() {
    runtime::serve(&webhooks::UPDATE);
}
