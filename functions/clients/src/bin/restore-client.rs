//! The function `restore-client`.

fn main() {
    runtime::serve(&clients::RESTORE);
}
