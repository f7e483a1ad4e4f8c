//! The function `redeliver`.

fn main() {
    runtime::serve(&webhooks::REDELIVER);
}
