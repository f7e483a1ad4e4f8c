//! Keys of the audit log; `whose` is a client's identifier, or the deployment's word.

use contract::Time;
use contract::audit::Action;
use contract::id::{AuditId, EventId};

use super::{Key, Kind, log, main};

pub(crate) fn audit_entry(whose: &str, day: &str, id: AuditId) -> Key {
    log(Kind::Audit, format!("{whose}#{day}"), id.to_string())
}

pub(crate) fn audit_pk(whose: &str, day: &str) -> String {
    format!("{}{whose}#{day}", Kind::Audit.prefix())
}

/// What sort keys of lines from this time on are not less than.
pub(crate) fn audit_from(time: Time) -> String {
    format!("{}{:012x}", AuditId::PREFIX, time.millis().max(0))
}

pub(crate) fn audit_head(whose: &str, day: &str) -> Key {
    log(Kind::AuditHeads, whose, day)
}

pub(crate) fn audit_heads_pk(whose: &str) -> String {
    format!("{}{whose}", Kind::AuditHeads.prefix())
}

pub(crate) fn audit_day(day: &str, whose: &str) -> Key {
    log(Kind::AuditDays, day, whose)
}

pub(crate) fn audit_days_pk(day: &str) -> String {
    format!("{}{day}", Kind::AuditDays.prefix())
}

/// That something was done, by an event, which no item tells.
pub(crate) fn audit_note(whose: &str, event: EventId, action: Action, resource: &str) -> Key {
    main(Kind::AuditNotes, whose, format!("{event}#{action}#{resource}"))
}
