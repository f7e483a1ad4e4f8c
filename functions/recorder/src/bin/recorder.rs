//! The function `recorder`.

fn main() {
    runtime::consume(&recorder::RECORDER);
}
