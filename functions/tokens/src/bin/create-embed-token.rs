//! The function `create-embed-token`.

fn main() {
    runtime::serve(&tokens::CREATE);
}
