//! The sending of mail: Amazon SES.

use std::sync::Arc;

use aws_config::SdkConfig;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::{BuildError, DisplayErrorContext};
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use contract::Error;
use contract::names::AsciiEmail;

/// What a mail says: the same in text and in HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The subject, one line.
    pub subject: String,
    /// The body as plain text.
    pub text: String,
    /// The body as HTML.
    pub html: String,
}

/// What sends mail from the deployment's address. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Ses {
    client: Client,
    from: Arc<AsciiEmail>,
}

impl Ses {
    /// Sends from this address.
    #[must_use]
    pub fn new(client: Client, from: AsciiEmail) -> Self {
        Self { client, from: Arc::new(from) }
    }

    pub(crate) fn of_sdk(sdk: &SdkConfig, from: AsciiEmail) -> Self {
        Self::new(Client::new(sdk), from)
    }

    /// Sends a letter. Each call is a mail: SES does not tell a repeated one.
    ///
    /// # Errors
    /// `unavailable` if SES refuses or is silent.
    pub async fn send(&self, to: &AsciiEmail, letter: &Letter) -> Result<(), Error> {
        let content = content(letter).map_err(|error| Error::internal(error.to_string()))?;
        let destination = Destination::builder().to_addresses(to.as_str()).build();
        let call = self.client.send_email().from_email_address(self.from.as_str());
        match call.destination(destination).content(content).send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(Error::unavailable(format!("SendEmail: {}", DisplayErrorContext(&error)))),
        }
    }
}

fn content(letter: &Letter) -> Result<EmailContent, BuildError> {
    // Without a charset SES takes a text for ASCII.
    let text = |text: &str| Content::builder().data(text).charset("UTF-8").build();
    let body = Body::builder().text(text(&letter.text)?).html(text(&letter.html)?).build();
    let message = Message::builder().subject(text(&letter.subject)?).body(body).build();
    Ok(EmailContent::builder().simple(message).build())
}
