//! The function `get-openapi`.

fn main() {
    runtime::serve(&operations::GET_OPENAPI);
}
