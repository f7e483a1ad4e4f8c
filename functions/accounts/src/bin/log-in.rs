//! The function `log-in`.

fn main() {
    runtime::serve(&accounts::LOG_IN);
}
