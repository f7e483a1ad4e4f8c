//! The function `update-global-field`.

fn main() {
    runtime::serve(&fields::UPDATE_GLOBAL);
}
