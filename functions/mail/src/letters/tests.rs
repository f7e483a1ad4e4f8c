//! The mails, as they are read.

use auth::MailedToken;
use contract::names::Email;

use super::*;

const AT: i64 = 1_772_600_767_890;

fn origin() -> Origin {
    "https://api.example.com".parse().unwrap()
}

fn to() -> Email {
    "ada@example.com".parse().unwrap()
}

/// The same each time, for the snapshots.
fn token() -> MailedToken {
    MailedToken::parse(&"A".repeat(43)).unwrap()
}

fn written(mail: Mail) -> Letter {
    of(&MailMessage { sent: Time::from_millis(AT), mail }, &origin())
}

fn invitation(client: &str) -> Mail {
    let invited_by = "eve@example.com".parse().unwrap();
    Mail::Invitation { to: to(), token: token(), client_name: client.parse().unwrap(), invited_by }
}

fn all() -> [(&'static str, Mail); 8] {
    let (at, address) = (Time::from_millis(AT), "203.0.113.7".parse().ok());
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0".to_owned();
    [
        ("password_reset", Mail::PasswordReset { to: to(), token: token() }),
        ("invitation", invitation("Ham & Söhne <GmbH>")),
        ("password_changed", Mail::PasswordChanged { to: to(), at, address: None }),
        ("second_factor_on", Mail::SecondFactorOn { to: to(), at, address }),
        ("second_factor_off", Mail::SecondFactorOff { to: to(), at, address }),
        ("new_login", Mail::NewLogin { to: to(), at, address, agent }),
        (
            "client_closed",
            Mail::ClientClosed {
                to: to(),
                client_name: "Ham & Söhne <GmbH>".parse().unwrap(),
                closed_by: "eve@example.com".parse().unwrap(),
                erased_at: at,
            },
        ),
        ("locked", Mail::Locked { to: to(), until: at }),
    ]
}

#[test]
fn each_mail_is_read_like_this() {
    for (name, mail) in all() {
        let Letter { subject, text, html } = written(mail);
        // A paragraph a line, to read it.
        let html = html.replace("<p>", "\n<p>").replace("</body>", "\n</body>");
        insta::assert_snapshot!(name, format!("Subject: {subject}\n\n{text}\n{html}\n"));
    }
}

#[test]
fn nothing_is_loaded_from_anywhere_and_every_link_leads_to_the_deployment() {
    for (name, mail) in all() {
        let Letter { text, html, .. } = written(mail);
        for body in [&text, &html] {
            for (at, _) in body.match_indices("://") {
                let before = &body[..at];
                assert!(
                    before.ends_with("https") && body[at - 5..].starts_with("https://api.example.com"),
                    "{name}: {body}"
                );
            }
        }
        let known =
            ["!DOCTYPE html", "html", "html lang=\"en\"", "meta charset=\"utf-8\"", "head", "title", "body", "p", "a"];
        for tag in html.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
            let links = tag.starts_with("a href=\"https://api.example.com/admin") && tag.matches('"').count() == 2;
            assert!(known.contains(&tag.trim_start_matches('/')) || links, "{name}: {tag}");
        }
    }
}

#[test]
fn what_others_wrote_stays_text() {
    let Letter { subject, text, html } = written(invitation("<img src=x onerror=alert(1)>&lt;"));
    assert!(html.contains("“&lt;img src=x onerror=alert(1)&gt;&amp;lt;”") && !html.contains("<img"), "{html}");
    assert!(text.contains("“<img src=x onerror=alert(1)>&lt;”"));
    assert_eq!(subject, "Invitation to “<img src=x onerror=alert(1)>&lt;”");
}

/// What stands in a header has no line break and no other control character, whatever somebody calls their company.
#[test]
fn no_name_makes_a_header() {
    let subjects = all().map(|(_, mail)| written(mail).subject);
    assert!(subjects.iter().all(|subject| !subject.contains(char::is_control)), "{subjects:?}");
    let mut names = 0;
    // Whatever ends a line or controls anything is among these.
    for c in (0..0x2100).filter_map(char::from_u32) {
        let Ok(name) = format!("a{c}Bcc: eve@example.com").parse::<contract::names::Name>() else { continue };
        names += 1;
        let subject = written(invitation(name.as_str())).subject;
        assert!(
            !subject.contains(['\r', '\n', '\u{2028}', '\u{2029}']) && !subject.contains(char::is_control),
            "{c:?}"
        );
    }
    assert!(names > 5_000, "{names}");
}

#[test]
fn a_time_is_told_to_the_minute() {
    let told = |text: &str| minute(text.parse().unwrap());
    assert_eq!(told("2026-03-04T05:06:59.999Z"), "2026-03-04 05:06 UTC");
    assert_eq!(told("2026-03-04T00:30:00+02:00"), "2026-03-03 22:30 UTC");
}
