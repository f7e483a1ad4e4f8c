//! The function `create-global-field`.

fn main() {
    runtime::serve(&fields::CREATE_GLOBAL);
}
