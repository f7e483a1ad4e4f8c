//! The function `get-delivery`.

fn main() {
    runtime::serve(&webhooks::GET_DELIVERY);
}
