//! The function `fan-out`.

fn main() {
    runtime::consume(&fan_out::FAN_OUT);
}
