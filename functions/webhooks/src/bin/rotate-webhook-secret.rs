//! The function `rotate-webhook-secret`.

fn main() {
    runtime::serve(&webhooks::ROTATE_SECRET);
}
