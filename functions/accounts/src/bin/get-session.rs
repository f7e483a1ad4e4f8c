//! The function `get-session`.

fn main() {
    runtime::serve(&accounts::GET_SESSION);
}
