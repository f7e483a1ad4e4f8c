//! The function `get-subscription`.

fn main() {
    runtime::serve(&billing::GET);
}
