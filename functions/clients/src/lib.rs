//! The client itself: its name, and its end.

mod close;
mod erase;
mod get;
mod restore;
mod update;

use std::time::Duration;

use contract::Code;
use contract::permission::Role;
use runtime::{Access, Consumer, GoesOn, Sample, Source};

const ADMINS: Access = Access::member(Role::Admin);
const OWNERS: Access = Access::member(Role::Owner);

runtime::routes! {
    /// Get the client
    Get "/api/v1/client"
    GET "get-client" => get::get {
        access: ADMINS,
        goes_on: GoesOn::Closed,
    }

    /// Change the client
    ///
    /// Its slug, and what it is found under, stay.
    Patch "/api/v1/client"
    UPDATE "update-client" => update::update {
        access: ADMINS,
        goes_on: GoesOn::Unsubscribed,
    } about {
        sample: Sample::body(r#"{ "name": "Sample Shop Ltd." }"#),
    }

    /// Close the client
    ///
    /// Its keys and embed tokens are refused, nothing is delivered, and its members' sessions end, but for its owners'. For
    /// 30 days an owner can restore it, while the job is `pending`; then all of it is erased, the job with it. A wrong password counts as one at the login.
    Delete "/api/v1/client"
    DELETE "delete-client" => close::close {
        access: OWNERS,
        goes_on: GoesOn::Unsubscribed,
    } about {
        failures: &[Code::InvalidCredentials, Code::Forbidden],
        sample: Sample::body(r#"{ "password": "a sample password" }"#),
    }

    /// Restore the client
    ///
    /// For 30 days after it was closed. What was held meanwhile is delivered, as far as it is not older than 7 days.
    Post "/api/v1/client/restore"
    RESTORE "restore-client" => restore::restore {
        access: OWNERS,
        goes_on: GoesOn::Closed,
    } about {
        failures: &[Code::Forbidden],
    }
}

/// `erase-clients`
pub static ERASE_CLIENTS: Consumer = Consumer::of::<erase::EraseClients>(
    "erase-clients",
    "Erase clients that were closed 30 days ago",
    Source::Schedule(Duration::from_secs(3600)),
    Duration::from_secs(840),
);
