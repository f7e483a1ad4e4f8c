//! Mail through the SDK's own client: what is sent, what is refused, and the files that it becomes.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use aws_sdk_sesv2::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, Template};
use hedgerow_engines::{Connector, Engines, Fault, Grant, SentMail, permitted};
use mail_parser::{MessageParser, MimeHeaders as _};

use super::ses;

const FROM: &str = "no-reply@example.com";
const TO: &str = "ada@example.com";

fn utf8(text: &str) -> Content {
    Content::builder().data(text).charset("UTF-8").build().unwrap()
}

fn message(subject: &str, text: &str, html: &str) -> Message {
    Message::builder().subject(utf8(subject)).body(Body::builder().text(utf8(text)).html(utf8(html)).build()).build()
}

async fn send(
    ses: &aws_sdk_sesv2::Client,
    from: &str,
    to: &[&str],
    message: Message,
) -> Result<String, SdkError<SendEmailError>> {
    let to = Destination::builder().set_to_addresses(Some(to.iter().map(|to| (*to).to_owned()).collect())).build();
    let content = EmailContent::builder().simple(message).build();
    let sent = ses.send_email().from_email_address(from).destination(to).content(content).send().await?;
    Ok(sent.message_id().unwrap().to_owned())
}

#[tokio::test]
async fn what_is_sent_is_in_the_box_of_whom_it_goes_to() {
    let engines = Engines::memory().unwrap();
    let connector = Connector::new(engines.clone());
    let ses = ses(&connector);
    assert!(engines.ses.sent_to(TO).is_empty());
    let first = send(&ses, FROM, &[TO], message("One", "é", "<p>é</p>")).await.unwrap();
    let second = send(&ses, FROM, &["eve@example.com", TO], message("Two", "b", "<p>b</p>")).await.unwrap();
    assert_ne!(first, second);
    let sent = engines.ses.sent_to(TO);
    let one = SentMail {
        from: FROM.into(),
        to: vec![TO.into()],
        subject: "One".into(),
        text: "é".into(),
        html: "<p>é</p>".into(),
    };
    assert_eq!((sent.len(), &sent[0], sent[1].subject.as_str()), (2, &one, "Two"));
    assert_eq!(engines.ses.sent_to("eve@example.com").len(), 1);
    assert_eq!(connector.trace().snapshot().of("SendEmail"), 2);
}

#[tokio::test]
async fn what_ses_refuses_is_refused() {
    let engines = Engines::memory().unwrap();
    let ses = ses(&Connector::new(engines.clone()));
    let good = || message("Hello", "text", "<p>html</p>");
    let refused = async |from: &str, to: &[&str], message: Message| {
        let error = send(&ses, from, to, message).await.unwrap_err().into_service_error();
        assert!(error.is_bad_request_exception(), "{from} {to:?} {error:?}");
    };
    let long = format!("{}@example.com", "a".repeat(65));
    for bad in [
        "",
        "ada",
        "ada@",
        "@example.com",
        "ada@example",
        "ada@example..com",
        "ada@-example.com",
        "ada@exam_ple.com",
        "ada@bücher.example",
        "josé@example.com",
        "a b@example.com",
        "a..b@example.com",
        ".a@example.com",
        "ada@example.com, eve@example.com",
        "Ada <ada@example.com>",
        "ada@example.com\r\nBcc: eve@example.com",
        &long,
    ] {
        refused(FROM, &[bad], good()).await;
        refused(bad, &[TO], good()).await;
    }
    refused(FROM, &[], good()).await;
    refused(FROM, &[TO; 51], good()).await;
    for bad in ["", "a\r\nBcc: eve@example.com", "a\nb", "a\0b"] {
        refused(FROM, &[TO], message(bad, "text", "<p>html</p>")).await;
    }
    refused(FROM, &[TO], message("Hello", "", "<p>html</p>")).await;
    refused(FROM, &[TO], Message::builder().subject(utf8("Hello")).build()).await;
    refused(FROM, &[TO], Message::builder().body(Body::builder().text(utf8("a")).build()).build()).await;
    // Without a charset, a text is ASCII.
    let bare = |text: &str| Content::builder().data(text).build().unwrap();
    let of = |text: &str| Message::builder().subject(utf8("a")).body(Body::builder().text(bare(text)).build()).build();
    refused(FROM, &[TO], of("é")).await;
    send(&ses, FROM, &[TO], of("e")).await.unwrap();

    let templated = EmailContent::builder().template(Template::builder().template_name("a").build()).build();
    let to = Destination::builder().to_addresses(TO).build();
    let copied = Destination::builder().to_addresses(TO).cc_addresses("eve@example.com").build();
    let simple = EmailContent::builder().simple(good()).build();
    for (to, content) in [(to.clone(), templated), (copied, simple.clone())] {
        let sent = ses.send_email().from_email_address(FROM).destination(to).content(content).send().await;
        assert!(sent.unwrap_err().into_service_error().is_bad_request_exception());
    }
    let from_nobody = ses.send_email().destination(to).content(simple).send().await;
    assert!(from_nobody.unwrap_err().into_service_error().is_bad_request_exception());
    assert_eq!(engines.ses.sent_to(TO).len(), 1);
    assert!(ses.get_account().send().await.is_err(), "an operation that is not embedded");
}

#[tokio::test]
async fn mail_goes_out_from_the_address_that_is_granted_and_no_other() {
    let engines = Engines::memory().unwrap();
    let ses = ses(&Connector::new(engines.clone()));
    let grants = [Grant::Mail { from: FROM.into(), actions: vec!["ses:SendEmail"] }];
    let from = |from| permitted(grants.to_vec(), send(&ses, from, &[TO], message("a", "b", "c")));
    from(FROM).await.unwrap();
    let refused = from("ceo@example.com").await.unwrap_err();
    assert_eq!(refused.code(), Some("AccessDeniedException"));
    let none: [Grant; 0] = [];
    permitted(none, send(&ses, FROM, &[TO], message("a", "b", "c"))).await.unwrap_err();
    assert_eq!(engines.ses.sent_to(TO).len(), 1);
}

#[tokio::test]
async fn a_service_that_throttles_is_asked_again_and_a_lost_answer_sends_twice() {
    let engines = Engines::memory().unwrap();
    let connector = Connector::new(engines.clone());
    let ses = ses(&connector);
    for (fault, mails) in [(Fault::Throttling, 1), (Fault::Internal, 2), (Fault::Lost, 4)] {
        connector.trace().reset();
        connector.faults().set(move |call| (call.service == "ses" && call.nth == 1).then_some(fault));
        send(&ses, FROM, &[TO], message("a", "b", "c")).await.unwrap();
        assert_eq!(engines.ses.sent_to(TO).len(), mails, "{fault:?}");
    }
    connector.faults().set(|call| (call.service == "ses").then_some(Fault::Throttling));
    let refused = send(&ses, FROM, &[TO], message("a", "b", "c")).await.unwrap_err().into_service_error();
    assert!(refused.is_too_many_requests_exception());
}

/// The files of a folder, in the order of their names.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

#[tokio::test]
async fn in_a_folder_a_mail_is_a_file_that_mail_programs_read() {
    let folder = tempfile::tempdir().unwrap();
    let ses = ses(&Connector::new(Engines::open(folder.path()).unwrap()));
    let long = "https://example.com/?token=".to_owned() + &"aB3-_".repeat(40);
    let texts = [
        ("Invitation to Łódź & Söhne", format!("Grüße\n\n.\nFrom here\n\n{long}\n"), "<p>Grüße &amp; mehr</p>"),
        ("To “=?utf-8?q?words?=”", "a = b\n".to_owned(), "<p>a = b</p>"),
        (&"a long subject ".repeat(20), "x".repeat(3_000), "<p>x</p>"),
        ("日本語の件名がここにあります。とても長いので、折り返されるはずです。", "日本".to_owned(), "<p>日本</p>"),
    ];
    for (subject, text, html) in &texts {
        send(&ses, FROM, &[TO], message(subject, text, html)).await.unwrap();
    }
    let box_of = folder.path().join("mail");
    let files = files(&box_of);
    assert_eq!(files.len(), texts.len());
    for (file, (subject, text, html)) in files.iter().zip(&texts) {
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("20") && name.ends_with(".eml") && name.is_ascii(), "{name}");
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        let raw = std::fs::read(file).unwrap();
        // RFC 5322 §2.1.1, §2.3: ASCII, lines of at most 998 characters that end in CRLF.
        assert!(raw.is_ascii(), "{name}");
        let lines = std::str::from_utf8(&raw).unwrap();
        assert!(lines.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n'])), "{lines}");
        let read = MessageParser::default().parse(&raw).unwrap();
        assert_eq!(read.subject().unwrap().trim(), subject.trim(), "{lines}");
        assert_eq!(read.from().unwrap().first().unwrap().address(), Some(FROM));
        assert_eq!(read.to().unwrap().first().unwrap().address(), Some(TO));
        assert!(read.date().is_some() && read.message_id().is_some());
        let kind = read.content_type().unwrap();
        assert_eq!((kind.ctype(), kind.subtype()), ("multipart", Some("alternative")));
        assert_eq!(read.body_text(0).unwrap().replace("\r\n", "\n").trim_end(), text.trim_end(), "{lines}");
        assert_eq!(read.body_html(0).unwrap().trim_end(), *html);
        assert_eq!(read.headers().iter().filter(|header| header.name() == "Subject").count(), 1);
    }
    assert_eq!(std::fs::metadata(box_of).unwrap().permissions().mode() & 0o777, 0o700);
}
