//! Mail, and what else only a queue's worker needs of a process.

use std::time::Duration;

use contract::{Error, Origin};
use store::author::Clock;
use store::login_attempts::{Locked, LoginError};

use super::Part;
use crate::app::App;
use crate::config::BadSetting;
use crate::mail::{Mail, MailMessage};
use crate::queues::{Queue, Queues};
use crate::ses::Ses;
use crate::spec::operation::Permissions;
use crate::start::Start;
use crate::vault::Vault;

/// Sends mails on their way.
pub struct Mailer {
    queues: Queues,
    vault: Vault,
    clock: Clock,
}

impl Mailer {
    /// Puts a mail into its queue, sealed. One call, whoever it goes to and whatever it says: whether the mail service
    /// works, and how long it takes, is not seen here.
    ///
    /// # Errors
    /// `unavailable` if SQS refuses for too long, or Secrets Manager before the data keys are known.
    pub async fn send(&self, mail: &Mail) -> Result<(), Error> {
        let message = MailMessage { sent: self.clock.now(), mail: mail.clone() };
        self.queues.send_mail(message.seal(&*self.vault.ring().await?)?).await
    }

    /// Tells of what is done already: that the mail can't be sent on its way is logged, and fails nothing.
    pub async fn tell(&self, mail: &Mail) {
        if let Err(error) = self.send(mail).await {
            tracing::error!(
                mail = mail.name(),
                ?error,
                "a mail is lost: it could not be put into its queue; what it tells of is done"
            );
        }
    }

    /// What came of comparing a password, or a code; if that locked an account, its mailbox is told.
    ///
    /// # Errors
    /// Why somebody is not let in.
    pub async fn tell_locked<T>(&self, compared: Result<T, LoginError>) -> Result<T, Error> {
        match compared {
            Ok(done) => Ok(done),
            Err(LoginError { error, locked }) => {
                if let Some(Locked { email: to, until }) = locked {
                    self.tell(&Mail::Locked { to, until }).await;
                }
                Err(error)
            }
        }
    }
}

impl Part for Mailer {
    fn take(app: &App) -> Result<Self, Error> {
        Ok(Self { queues: app.queues()?.clone(), vault: app.vault()?.clone(), clock: app.clock().clone() })
    }
    fn prepare(start: &mut Start<'_>) -> Result<(), BadSetting> {
        start.connect_queues()?;
        Vault::prepare(start)
    }
    fn permissions(permissions: &mut Permissions) {
        permissions.sends.insert(Queue::Mail);
        Vault::permissions(permissions);
    }
}

/// Has messages of the queue of mails come again later than they would.
pub struct PostponeMail(Queues);

impl PostponeMail {
    /// Has a message come again after this, counted from now, by its receipt.
    ///
    /// # Errors
    /// `unavailable` if SQS refuses.
    pub async fn postpone(&self, receipt: &str, by: Duration) -> Result<(), Error> {
        self.0.postpone(Queue::Mail, receipt, by).await
    }
}

impl Part for PostponeMail {
    fn take(app: &App) -> Result<Self, Error> {
        Ok(Self(app.queues()?.clone()))
    }
    fn prepare(start: &mut Start<'_>) -> Result<(), BadSetting> {
        start.connect_queues()
    }
    fn permissions(permissions: &mut Permissions) {
        permissions.postpones.insert(Queue::Mail);
    }
}

impl Part for Ses {
    fn take(app: &App) -> Result<Self, Error> {
        app.ses.clone().ok_or_else(|| Error::internal("this process was started without a mail service"))
    }
    fn prepare(start: &mut Start<'_>) -> Result<(), BadSetting> {
        start.app.ses = Some(Self::of_sdk(start.sdk, start.config.mail_from()?.clone()));
        Ok(())
    }
    fn permissions(permissions: &mut Permissions) {
        permissions.sends_mail = true;
    }
}

/// The deployment's own.
impl Part for Origin {
    fn take(app: &App) -> Result<Self, Error> {
        Ok(app.origin()?.clone())
    }
    fn prepare(start: &mut Start<'_>) -> Result<(), BadSetting> {
        start.config.origin()?;
        Ok(())
    }
}
