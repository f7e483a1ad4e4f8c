//! The function `create-portal`.

fn main() {
    runtime::serve(&billing::PORTAL);
}
