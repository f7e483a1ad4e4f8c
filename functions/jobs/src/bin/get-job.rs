//! The function `get-job`.

fn main() {
    runtime::serve(&jobs::GET);
}
