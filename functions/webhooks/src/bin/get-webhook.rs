//! The function `get-webhook`.

fn main() {
    runtime::serve(&webhooks::GET);
}
