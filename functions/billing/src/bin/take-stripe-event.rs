//! The function `take-stripe-event`.

fn main() {
    runtime::serve(&billing::TAKE_EVENT);
}
