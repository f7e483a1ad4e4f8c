//! The worker of mails.

use std::sync::Arc;
use std::time::Duration;

use contract::names::Email;
use contract::{Error, Origin};
use runtime::lambda::consumer::{Batch, QueueRecord, Working};
use runtime::{Mail, MailMessage, PostponeMail, Ses, Vault, Worker};
use serde_json::Value;
use store::passwords::Mailboxes;
use tokio::time::Instant;

use crate::letters;

/// How long a mail waits after its first failure, and at the most.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

runtime::parts! {
    pub(crate) struct SendMail {
        ses: Ses,
        vault: Vault,
        origin: Origin,
        postpone: PostponeMail,
        mailboxes: Mailboxes,
    }
}

impl Worker for SendMail {
    fn work(self: Arc<Self>, records: Vec<Value>, _: Instant) -> Working {
        Box::pin(async move { Ok(Batch::each(crate::SEND_MAIL.id, records, |record| self.one(record)).await) })
    }
}

impl SendMail {
    /// Sends a mail. One that can't be sent waits longer each time.
    async fn one(&self, record: QueueRecord) -> Result<(), Error> {
        let sent = self.send(&record).await;
        if sent.is_err()
            && let Err(error) = self.postpone.postpone(&record.receipt_handle, pause(record.received())).await
        {
            let what = "when a mail comes again could not be set: it does after its visibility time-out";
            tracing::warn!(operation = crate::SEND_MAIL.id, message_id = record.message_id, ?error, "{what}");
        }
        sent
    }

    async fn send(&self, record: &QueueRecord) -> Result<(), Error> {
        let message = MailMessage::open(&*self.vault.ring().await?, &record.body)?;
        let Some(to) = self.mailbox(&message).await? else { return Ok(()) };
        let Some(to) = to.in_ascii() else {
            // No later try would change it, and no dead letter.
            tracing::warn!(
                operation = crate::SEND_MAIL.id,
                "a mail was not sent: Amazon SES takes no address that is not ASCII before its @"
            );
            return Ok(());
        };
        self.ses.send(&to, &letters::of(&message, &self.origin)).await
    }
}

impl SendMail {
    /// Where it goes, if there is somebody to tell: strangers name addresses, and learn nothing of them.
    async fn mailbox(&self, MailMessage { sent, mail }: &MailMessage) -> Result<Option<Email>, Error> {
        match mail {
            Mail::PasswordReset { to, token } => self.mailboxes.start_reset(to, token, *sent).await,
            Mail::Locked { to, .. } => self.mailboxes.of_account(to).await,
            Mail::Invitation { to, .. }
            | Mail::PasswordChanged { to, .. }
            | Mail::SecondFactorOn { to, .. }
            | Mail::SecondFactorOff { to, .. }
            | Mail::NewLogin { to, .. }
            | Mail::ClientClosed { to, .. } => Ok(Some(to.clone())),
        }
    }
}

/// How long a message that was received so often waits before it comes again: twice as long each time.
fn pause(received: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << received.saturating_sub(1).min(16)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour() {
        let minutes = |received| pause(received).as_secs_f64() / 60.0;
        let all: Vec<f64> = (1..=10).map(minutes).collect();
        assert_eq!(all, [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]);
        assert_eq!((pause(0), pause(u32::MAX)), (FIRST_PAUSE, LONGEST_PAUSE));
    }
}
