//! The function `dispatcher`.

fn main() {
    runtime::consume(&dispatcher::DISPATCHER);
}
