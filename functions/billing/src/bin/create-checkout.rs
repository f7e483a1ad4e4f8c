//! The function `create-checkout`.

fn main() {
    runtime::serve(&billing::CHECKOUT);
}
