//! Mail: what the account's owner is told where only they read it. A queue feeds it, so that no request waits for the mail
//! service, and a service that is down loses nothing.

mod agent;
mod letter;
mod letters;
mod send;

use std::time::Duration;

use runtime::{Consumer, Queue, Source};

/// `send-mail`
pub static SEND_MAIL: Consumer =
    Consumer::of::<send::SendMail>("send-mail", "Send mail", Source::Queues(&[Queue::Mail]), Duration::from_secs(30));
