//! The function `get-health`.

fn main() {
    runtime::serve(&operations::GET_HEALTH);
}
