//! The function `run-jobs`.

fn main() {
    runtime::consume(&jobs::RUN_JOBS);
}
