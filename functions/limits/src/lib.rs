//! What a caller may use, and what is left of it.

mod list;

use contract::permission::Permission;
use runtime::{Access, Counts, GoesOn};

runtime::routes! {
    /// List the limits
    ///
    /// All rate limits of whoever asks, with what is left of each, and how many of each thing the client may have: those have
    /// no `resetAt`. Counts under none of them.
    Get "/api/v1/limits"
    LIST "list-limits" => list::list {
        access: Access::management(Permission::ALL),
        counts: Counts::Nothing,
        goes_on: GoesOn::Closed,
    }
}
