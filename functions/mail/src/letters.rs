//! What each mail says: what happened, what to do, and until when.

use std::net::IpAddr;

use auth::mailed_token::{INVITATION_LIFETIME, MailedToken, RESET_LIFETIME};
use contract::{Origin, Time};
use runtime::{Letter, Mail, MailMessage};

use crate::agent;
use crate::letter::Paragraph::{Link, Text};
use crate::letter::letter;

/// The letter of a mail. Its links lead to the deployment's own origin.
pub(crate) fn of(message: &MailMessage, origin: &Origin) -> Letter {
    let MailMessage { sent, mail } = message;
    let link = |page: &str, token: &MailedToken| format!("{origin}/admin/{page}?token={}", token.reveal());
    let log_in = || format!("{origin}/admin");
    let (subject, mut paragraphs) = match mail {
        Mail::PasswordReset { token, .. } => {
            let ends = minute(sent.plus(RESET_LIFETIME));
            let paragraphs = vec![
                Text("Somebody asked for a new password for your account.".to_owned()),
                Link("Set a new password", link("reset-password", token)),
                Text(format!("The link works once, for 30 minutes: until {ends}.")),
                Text("If you did not ask for it, ignore this mail. Your password stays as it is.".to_owned()),
            ];
            ("Set a new password".to_owned(), paragraphs)
        }
        Mail::Invitation { token, client_name, invited_by, to } => {
            let ends = minute(sent.plus(INVITATION_LIFETIME));
            let paragraphs = vec![
                Text(format!("{invited_by} invites you to work on “{client_name}” in Hedgerow.")),
                Link("Accept the invitation", link("accept-invitation", token)),
                Text(format!("The link works once, for {to} alone, for 72 hours: until {ends}.")),
                Text("If you did not expect it, ignore this mail. Nothing is done without the link.".to_owned()),
            ];
            // The quotes are not ASCII: so the subject is encoded whole, and no name is read as an encoding (RFC 2047 §5).
            (format!("Invitation to “{client_name}”"), paragraphs)
        }
        Mail::PasswordChanged { at, address, .. } => {
            let at = minute(*at);
            let paragraphs = vec![
                Text(format!("The password of your account was changed at {at}, from {}.", from(*address))),
                Text("All other sessions were ended.".to_owned()),
                Text("If it was you, there is nothing to do. If it was not, ask for a new password now.".to_owned()),
                Link("Log in", log_in()),
            ];
            ("Your password was changed".to_owned(), paragraphs)
        }
        Mail::SecondFactorOn { at, address, .. } => {
            let (at, from) = (minute(*at), from(*address));
            let paragraphs = vec![
                Text(format!("A second factor was turned on for your account at {at}, from {from}.")),
                Text(
                    "From now on a login needs a code of your authenticator app, or one of the recovery codes. All other \
                     sessions were ended."
                        .to_owned(),
                ),
                Text(
                    "If it was you, keep the recovery codes where you find them without your phone. If it was not, somebody \
                     has your password. Ask whoever runs Hedgerow for you to let you in."
                        .to_owned(),
                ),
                Link("Log in", log_in()),
            ];
            ("Your second factor was turned on".to_owned(), paragraphs)
        }
        Mail::SecondFactorOff { at, address, .. } => {
            let (at, from) = (minute(*at), from(*address));
            let paragraphs = vec![
                Text(format!("The second factor of your account was turned off at {at}, from {from}.")),
                Text("From now on the password is enough to log in.".to_owned()),
                Text(
                    "If it was you, there is nothing to do. If it was not, somebody has your password. Change it now: \
                     that ends all other sessions."
                        .to_owned(),
                ),
                Link("Log in", log_in()),
            ];
            ("Your second factor was turned off".to_owned(), paragraphs)
        }
        Mail::NewLogin { at, address, agent, .. } => {
            let (at, from, by) = (minute(*at), from(*address), agent::described(agent));
            let paragraphs = vec![
                Text(format!("There was a new login to your account at {at}, from {from}, by {by}.")),
                Text(
                    "If it was you, there is nothing to do. If it was not, somebody has your password. Change it now: \
                     that ends all other sessions."
                        .to_owned(),
                ),
                Link("Log in", log_in()),
            ];
            ("New login to your account".to_owned(), paragraphs)
        }
        Mail::ClientClosed { client_name, closed_by, erased_at, .. } => {
            let erased = minute(*erased_at);
            let paragraphs = vec![
                Text(format!(
                    "{closed_by} closed “{client_name}”. Its keys are refused, and nothing of it is delivered."
                )),
                Text(format!(
                    "It is erased after {erased}, for good. Until then you, or another owner, can restore it."
                )),
                Link("Log in", log_in()),
            ];
            // As of an invitation's subject.
            (format!("“{client_name}” was closed"), paragraphs)
        }
        Mail::Locked { until, .. } => {
            let until = minute(*until);
            let paragraphs = vec![
                Text("Too many wrong passwords were tried on your account.".to_owned()),
                Text(format!(
                    "Until {until} nobody can log in to it, with the right password neither. Sessions that are open go on."
                )),
                Text(
                    "If it was you, try again then. If it was not, somebody is guessing and was stopped. There is nothing \
                     that you have to do; a second factor would keep out even those who guess right."
                        .to_owned(),
                ),
                Link("Log in", log_in()),
            ];
            ("Your account is locked for a while".to_owned(), paragraphs)
        }
    };
    paragraphs.push(Text(format!("Hedgerow, {origin}")));
    letter(subject, &paragraphs)
}

/// A time to the minute, as people write it; what ends, ends no earlier than that.
fn minute(time: Time) -> String {
    let text = time.to_string();
    let (day, clock) = text.split_once('T').unwrap_or((&text, ""));
    format!("{day} {} UTC", clock.get(..5).unwrap_or_default())
}

fn from(address: Option<IpAddr>) -> String {
    address.map_or_else(|| "an unknown address".to_owned(), |address| format!("the address {address}"))
}

#[cfg(test)]
mod tests;
