//! Mail: what somebody is told, and how it lies in its queue.

use std::net::IpAddr;

use auth::{Keyring, MailedToken};
use contract::names::{Email, Name};
use contract::{Error, Time};
use serde::{Deserialize, Serialize};

/// What mails are sealed for.
const CONTEXT: &str = "mail";

/// A mail, with what it needs and nothing else. It is serialised to be sealed, and for nothing besides.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Mail {
    /// A link to a new password.
    PasswordReset {
        /// Whose mailbox it goes to.
        to: Email,
        /// What its link carries.
        #[serde(with = "revealed")]
        token: MailedToken,
    },
    /// A link by which somebody joins a client.
    Invitation {
        /// Whose mailbox it goes to.
        to: Email,
        /// What its link carries.
        #[serde(with = "revealed")]
        token: MailedToken,
        /// The client's name.
        client_name: Name,
        /// The member who asks.
        invited_by: Email,
    },
    /// The password is another one.
    PasswordChanged {
        /// Whose mailbox it goes to.
        to: Email,
        /// Since when.
        at: Time,
        /// From which address it was changed, if that is known.
        address: Option<IpAddr>,
    },
    /// A login needs a code from now on.
    SecondFactorOn {
        /// Whose mailbox it goes to.
        to: Email,
        /// Since when.
        at: Time,
        /// From which address it was turned on, if that is known.
        address: Option<IpAddr>,
    },
    /// The password is enough again.
    SecondFactorOff {
        /// Whose mailbox it goes to.
        to: Email,
        /// Since when.
        at: Time,
        /// From which address it was turned off, if that is known.
        address: Option<IpAddr>,
    },
    /// Somebody logged in.
    NewLogin {
        /// Whose mailbox it goes to.
        to: Email,
        /// When.
        at: Time,
        /// From which address, if that is known.
        address: Option<IpAddr>,
        /// By which `User-Agent`.
        agent: String,
    },
    /// A client was closed: to each of its owners.
    ClientClosed {
        /// Whose mailbox it goes to.
        to: Email,
        /// The client's name.
        client_name: Name,
        /// The owner who closed it.
        closed_by: Email,
        /// When it is erased.
        erased_at: Time,
    },
    /// Too many wrong passwords: for a while, none is accepted.
    Locked {
        /// Whose mailbox it goes to.
        to: Email,
        /// Until when.
        until: Time,
    },
}

impl Mail {
    /// What a log calls it: `password-reset`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::PasswordReset { .. } => "password-reset",
            Self::Invitation { .. } => "invitation",
            Self::PasswordChanged { .. } => "password-changed",
            Self::SecondFactorOn { .. } => "second-factor-on",
            Self::SecondFactorOff { .. } => "second-factor-off",
            Self::NewLogin { .. } => "new-login",
            Self::ClientClosed { .. } => "client-closed",
            Self::Locked { .. } => "locked",
        }
    }
}

impl Mail {
    /// Whose mailbox it goes to.
    #[must_use]
    pub const fn to(&self) -> &Email {
        match self {
            Self::PasswordReset { to, .. }
            | Self::Invitation { to, .. }
            | Self::PasswordChanged { to, .. }
            | Self::SecondFactorOn { to, .. }
            | Self::SecondFactorOff { to, .. }
            | Self::NewLogin { to, .. }
            | Self::ClientClosed { to, .. }
            | Self::Locked { to, .. } => to,
        }
    }
}

/// A token within what is sealed.
mod revealed {
    use auth::MailedToken;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(token: &MailedToken, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&token.reveal())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<MailedToken, D::Error> {
        // The text itself stands in no error.
        MailedToken::parse(&String::deserialize(from)?).ok_or_else(|| D::Error::custom("the token has not its form"))
    }
}

/// A mail on its way, sealed under the deployment's data keys: who reads a queue or its dead letters learns neither a
/// token nor an address.
#[derive(Debug, Serialize, Deserialize)]
pub struct MailMessage {
    /// When it was sent on its way: its link lives from then on.
    pub sent: Time,
    /// The mail.
    pub mail: Mail,
}

impl MailMessage {
    /// A message's body.
    ///
    /// # Errors
    /// `internal` if the cipher fails.
    pub fn seal(&self, ring: &Keyring) -> Result<String, Error> {
        ring.seal(CONTEXT, &serde_json::to_string(self).map_err(Error::internal)?).map_err(Error::internal)
    }

    /// The message that a body holds.
    ///
    /// # Errors
    /// `internal` if it was sealed for another purpose, by a key that is not there, or was altered.
    pub fn open(ring: &Keyring, body: &str) -> Result<Self, Error> {
        let opened = ring.open(CONTEXT, body).map_err(Error::internal)?;
        serde_json::from_str(&opened).map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring() -> Keyring {
        Keyring::parse(&Keyring::generate()).expect("a keyring")
    }

    fn message(mail: Mail) -> MailMessage {
        MailMessage { sent: Time::from_millis(1_772_600_767_000), mail }
    }

    fn email(text: &str) -> Email {
        text.parse().expect("an address")
    }

    #[test]
    fn a_message_opens_in_its_context_alone_and_shows_nothing() {
        let (ring, token) = (ring(), MailedToken::generate());
        let sent = message(Mail::PasswordReset { to: email("ada@example.com"), token: token.clone() });
        let body = sent.seal(&ring).expect("sealed");
        assert!(!body.contains(&token.reveal()) && !body.contains("ada"), "{body}");
        let opened = MailMessage::open(&ring, &body).expect("opened");
        assert_eq!(opened.sent, sent.sent);
        assert!(matches!(&opened.mail, Mail::PasswordReset { to, token: read }
            if to.as_str() == "ada@example.com" && read.hash() == token.hash()));

        // The same text sealed for a webhook is no mail, nor is a mail a webhook's secret.
        let plain = ring.open(CONTEXT, &body).expect("opened");
        let elsewhere = ring.seal("W#cl_1 whk_1", &plain).expect("sealed");
        assert!(MailMessage::open(&ring, &elsewhere).is_err() && ring.open("W#cl_1 whk_1", &body).is_err());
        assert!(MailMessage::open(&self::ring(), &body).is_err(), "by another deployment's keys");
        for bad in ["", "{}", "1.", &plain, &body[..body.len() - 1]] {
            assert!(MailMessage::open(&ring, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn no_error_and_no_print_shows_a_token() {
        let (ring, token) = (ring(), MailedToken::generate());
        let sent = message(Mail::PasswordReset { to: email("ada@example.com"), token: token.clone() });
        assert!(!format!("{sent:?}").contains(&token.reveal()));
        let cut = token.reveal()[1..].to_owned();
        let plain = serde_json::to_string(&sent).expect("json").replace(&token.reveal(), &cut);
        let error = MailMessage::open(&ring, &ring.seal(CONTEXT, &plain).expect("sealed")).expect_err("a cut token");
        assert!(!format!("{error:?}").contains(&cut), "{error:?}");
    }

    #[test]
    fn every_mail_comes_out_as_it_went_in() {
        let (ring, to) = (ring(), email("用户@例子.广告"));
        let (at, address) = (Time::from_millis(1_772_600_000_123), "2001:db8::1".parse().ok());
        let token = MailedToken::generate();
        let (client_name, invited_by) = ("Łódź & Söhne".parse().expect("a name"), email("eve@example.com"));
        for mail in [
            Mail::PasswordReset { to: to.clone(), token: token.clone() },
            Mail::Invitation { to: to.clone(), token, client_name, invited_by },
            Mail::PasswordChanged { to: to.clone(), at, address },
            Mail::SecondFactorOn { to: to.clone(), at, address },
            Mail::SecondFactorOff { to: to.clone(), at, address: None },
            Mail::NewLogin { to: to.clone(), at, address: None, agent: "curl/8\n\"é".to_owned() },
            Mail::Locked { to: to.clone(), until: at },
        ] {
            let sent = message(mail);
            let opened = MailMessage::open(&ring, &sent.seal(&ring).expect("sealed")).expect("opened");
            assert_eq!(serde_json::to_value(&opened).ok(), serde_json::to_value(&sent).ok());
            assert_eq!(opened.mail.to(), &to);
        }
    }
}
