//! The audit log.

mod export;
mod filters;
mod list;

use contract::permission::Permission;
use runtime::{Access, Sample};

const READERS: Access = Access::management(&[Permission::AuditRead]);

runtime::routes! {
    /// List the audit log, newest first
    ///
    /// Who did what, when, from where, by which request; refused credentials and addresses, too. The filters join by and; a
    /// page may have fewer lines than were asked for, and more to come.
    Get "/api/v1/audit-log"
    LIST "list-audit-log" => list::list {
        access: READERS,
    } about {
        sample: Sample::query(&[("limit", "10")]),
    }

    /// Export the audit log as JSON lines
    ///
    /// All lines of the days in which `from` and `to` are, or of all days, oldest day first, each an entry as the list has them.
    /// The last line says what was exported: `hedgerow audit verify` holds the others against it.
    Get "/api/v1/audit-log/export"
    EXPORT "export-audit-log" => export::export {
        access: READERS,
    }
}
