//! The function `log-out`.

fn main() {
    runtime::serve(&accounts::LOG_OUT);
}
