//! The function `test-webhook`.

fn main() {
    runtime::serve(&webhooks::TEST);
}
