//! The function `get-global-field`.

fn main() {
    runtime::serve(&fields::GET_GLOBAL);
}
