//! The grace of what is replaced.

use schemars::JsonSchema;

use crate::{Broken, Whole};

/// How long a secret goes on working after it was replaced, in seconds: 0 to 604,800 (a week).
#[derive(Debug, Clone, Copy, PartialEq, Eq, deserr::Deserr, JsonSchema)]
#[schemars(inline, transparent, extend("minimum" = 0, "maximum" = 604_800))]
#[deserr(error = crate::Problems, try_from(crate::Whole) = Self::checked -> crate::Broken)]
pub struct GraceSeconds(u32);

impl GraceSeconds {
    const MAX: u32 = 7 * 24 * 3600;

    fn checked(seconds: Whole) -> Result<Self, Broken> {
        seconds.within(0..=Self::MAX).map(Self)
    }

    /// The span.
    #[must_use]
    pub fn span(self) -> std::time::Duration {
        std::time::Duration::from_secs(self.0.into())
    }
}
