//! The function `delete-global-field`.

fn main() {
    runtime::serve(&fields::DELETE_GLOBAL);
}
