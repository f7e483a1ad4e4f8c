//! Random bytes from the kernel's generator.

/// `N` random bytes.
///
/// # Panics
/// If the kernel has no generator: nothing that we do would be safe then.
#[must_use]
#[expect(clippy::expect_used, reason = "without randomness no secret may be made, and no caller could go on")]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the kernel's random number generator");
    bytes
}
