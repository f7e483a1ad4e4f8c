//! The function `revoke-embed-tokens`.

fn main() {
    runtime::serve(&tokens::REVOKE);
}
