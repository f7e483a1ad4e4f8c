//! Host names: which texts are one, and which of them a network answers from the inside.

/// Names, with all below them, that mean something on the inside of a network alone. RFC 6761's `test`, `example` and
/// `invalid` are not among them: no network in production answers those, so a delivery fails with `dns`.
const INSIDE: &[&str] = &[
    "localhost",     // RFC 6761 §6.3
    "localdomain",   // what a machine without a domain calls itself
    "local",         // RFC 6762: multicast DNS; also `svc.cluster.local`
    "internal",      // ICANN 2024: private use; also `metadata.google.internal`, `compute.internal`
    "intranet",      // RFC 6762 appendix G
    "private",       // RFC 6762 appendix G
    "corp",          // RFC 6762 appendix G
    "home",          // RFC 6762 appendix G
    "lan",           // RFC 6762 appendix G
    "arpa",          // RFC 3172: the network's own names; also `home.arpa` (RFC 8375)
    "onion",         // RFC 7686 §2: not a name for DNS
    "alt",           // RFC 9476: not a name for DNS
    "metadata.goog", // Google Cloud: 169.254.169.254
];

/// Whether a text (in lower case) is a name that can be looked up: labels of letters, digits, `-` and `_`, no dot at
/// its end. URL parsing lets much more pass.
pub(super) fn is_host_name(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    (1..=63).contains(&label.len()) && label.bytes().all(known) && !label.starts_with('-') && !label.ends_with('-')
}

/// Whether a name (in lower case) belongs to the inside of a network.
pub(super) fn is_inside(name: &str) -> bool {
    INSIDE.iter().any(|inside| name.strip_suffix(inside).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inside_is_a_suffix_of_whole_labels() {
        for inside in ["localhost", "a.localhost", "metadata.google.internal", "x.y.corp", "metadata.goog"] {
            assert!(is_inside(inside), "{inside}");
        }
        for outside in ["notlocalhost", "internal.example.com", "mycorp", "localhost.example.com", "xmetadata.goog"] {
            assert!(!is_inside(outside), "{outside}");
        }
    }
}
