//! A letter's two bodies, from one list of paragraphs.

use maud::{DOCTYPE, html};
use runtime::Letter;

/// A paragraph.
pub(crate) enum Paragraph {
    /// Sentences.
    Text(String),
    /// A link alone on its line: what it does, and where it leads.
    Link(&'static str, String),
}

/// The letter of a subject and paragraphs. Nothing in it is loaded from anywhere, and nothing tells that it was read.
pub(crate) fn letter(subject: String, paragraphs: &[Paragraph]) -> Letter {
    let text: Vec<String> = paragraphs.iter().map(plain).collect();
    let html = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { (subject) }
            }
            body {
                @for paragraph in paragraphs {
                    @match paragraph {
                        Paragraph::Text(text) => p { (text) },
                        Paragraph::Link(does, url) => p { a href=(url) { (does) } },
                    }
                }
            }
        }
    };
    Letter { subject, text: text.join("\n\n") + "\n", html: html.into_string() }
}

fn plain(paragraph: &Paragraph) -> String {
    match paragraph {
        Paragraph::Text(text) => text.clone(),
        Paragraph::Link(does, url) => format!("{does}:\n{url}"),
    }
}
