//! What a write may ask of what it writes over (RFC 9110 §13.1; contract: Conventions).

use crate::Error;

/// The precondition of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precondition {
    /// `If-Match: "n"`: it is at this version; 0, which no resource has, is none at all.
    Version(u64),
    /// `If-Match: *`: it exists.
    Exists,
    /// `If-None-Match: *`: it doesn't exist yet.
    Absent,
}

impl Precondition {
    /// Holds the precondition against the version that there is, if anything is.
    ///
    /// # Errors
    /// `version_conflict`.
    pub fn check(self, current: Option<u64>) -> Result<(), Error> {
        let (holds, sent) = match self {
            Self::Version(sent) => (sent == current.unwrap_or(0), Some(sent)),
            Self::Exists => (current.is_some(), None),
            Self::Absent => (current.is_none(), Some(0)),
        };
        if holds { Ok(()) } else { Err(Error::version_conflict(sent, current.unwrap_or(0))) }
    }
}

#[cfg(test)]
mod tests {
    use super::Precondition::{Absent, Exists, Version};

    #[test]
    fn each_form_against_what_there_is() {
        for (precondition, current, holds) in [
            (Version(3), Some(3), true),
            (Version(3), Some(4), false),
            (Version(3), None, false),
            (Version(0), None, true),
            (Version(0), Some(1), false),
            (Exists, Some(1), true),
            (Exists, None, false),
            (Absent, None, true),
            (Absent, Some(1), false),
        ] {
            assert_eq!(precondition.check(current).is_ok(), holds, "{precondition:?} {current:?}");
        }
    }
}
