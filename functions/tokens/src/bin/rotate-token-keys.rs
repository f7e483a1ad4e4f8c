//! The function `rotate-token-keys`.

fn main() {
    runtime::consume(&tokens::ROTATE_TOKEN_KEYS);
}
