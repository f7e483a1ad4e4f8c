//! The function `restore-global-field`.

fn main() {
    runtime::serve(&fields::RESTORE_GLOBAL);
}
