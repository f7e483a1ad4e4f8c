//! The function `create-webhook`.

fn main() {
    runtime::serve(&webhooks::CREATE);
}
