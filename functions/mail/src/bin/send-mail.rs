//! The function `send-mail`.

fn main() {
    runtime::consume(&mail::SEND_MAIL);
}
