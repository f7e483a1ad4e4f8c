//! The function `recover-webhook`.

fn main() {
    runtime::serve(&webhooks::RECOVER);
}
