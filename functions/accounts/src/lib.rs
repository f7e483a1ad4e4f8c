//! Accounts and sessions.

mod accept_invitation;
mod change_password;
mod confirm_password_reset;
mod confirm_totp;
mod end_other_sessions;
mod end_session;
mod get_session;
mod list_sessions;
mod log_in;
mod log_out;
mod request_password_reset;
mod sign_up;
mod start_totp;
mod turn_off_totp;

use contract::Code;
use contract::rate_limit::LimitName;
use runtime::{Access, Counts, Sample};

runtime::routes! {
    /// Open an account
    Post "/api/auth/signup"
    SIGN_UP "sign-up" => sign_up::sign_up {
        access: Access::Public,
        counts: Counts::Besides(LimitName::Signup),
    } about {
        failures: &[Code::EmailTaken, Code::Forbidden],
        cookie: "Begins the session.",
        sample: Sample::body(
            r#"{ "email": "founder@example.org", "password": "another sample password", "clientName": "Another Shop" }"#,
        ),
    }

    /// Log in
    Post "/api/auth/login"
    LOG_IN "log-in" => log_in::log_in {
        access: Access::Public,
        counts: Counts::Besides(LimitName::Login),
    } about {
        failures: &[Code::InvalidCredentials, Code::TotpRequired],
        cookie: "Begins the session.",
        sample: Sample::body(r#"{ "email": "owner@example.com", "password": "a sample password" }"#),
    }

    /// Log out
    Post "/api/auth/logout"
    LOG_OUT "log-out" => log_out::log_out {
        access: Access::session(),
    } about {
        cookie: "Ends the session.",
    }

    /// Who is logged in
    Get "/api/auth/session"
    GET_SESSION "get-session" => get_session::get_session {
        access: Access::session(),
    }

    /// List one's sessions
    Get "/api/auth/sessions"
    LIST_SESSIONS "list-sessions" => list_sessions::list_sessions {
        access: Access::session(),
    }

    /// End all of one's sessions but this one
    Delete "/api/auth/sessions"
    END_OTHER_SESSIONS "end-other-sessions" => end_other_sessions::end_other_sessions {
        access: Access::session(),
    }

    /// End one of one's sessions
    Delete "/api/auth/sessions/{id}"
    END_SESSION "end-session" => end_session::end_session {
        access: Access::session(),
    } about {
        sample: Sample::path(&[("id", "$spareSession")]),
    }

    /// Change one's password
    ///
    /// Ends all other sessions. A wrong current password counts as one at the login.
    Post "/api/auth/password"
    CHANGE_PASSWORD "change-password" => change_password::change_password {
        access: Access::session(),
    } about {
        failures: &[Code::InvalidCredentials],
        sample: Sample::body(
            r#"{ "currentPassword": "a sample password", "newPassword": "four oak tables and a lamp" }"#,
        ),
    }

    /// Set up a second factor
    ///
    /// Takes the password once more. What is answered goes into an authenticator app; it is in force once its first code is
    /// confirmed, within 15 minutes. A wrong password counts as one at the login.
    Post "/api/auth/totp"
    START_TOTP "start-totp" => start_totp::start_totp {
        access: Access::session(),
    } about {
        failures: &[Code::InvalidCredentials],
        sample: Sample::body(r#"{ "password": "a sample password" }"#),
    }

    /// Turn on the second factor
    ///
    /// Ends all other sessions, and begins this one anew. The recovery codes are shown this once.
    Post "/api/auth/totp/confirm"
    CONFIRM_TOTP "confirm-totp" => confirm_totp::confirm_totp {
        access: Access::session(),
    } about {
        cookie: "Begins the session anew.",
        sample: Sample::body(r#"{ "code": "123456" }"#),
    }

    /// Turn off the second factor
    ///
    /// Takes the password once more. A wrong one counts as one at the login.
    Delete "/api/auth/totp"
    TURN_OFF_TOTP "turn-off-totp" => turn_off_totp::turn_off_totp {
        access: Access::session(),
    } about {
        failures: &[Code::InvalidCredentials],
        sample: Sample::body(r#"{ "password": "a sample password" }"#),
    }

    /// Have a link to a new password mailed
    ///
    /// The answer is the same whether or not there is such an account. The link lives for 30 minutes and works once; a
    /// second request ends the first link.
    Post "/api/auth/password-reset"
    REQUEST_PASSWORD_RESET "request-password-reset" => request_password_reset::request_password_reset {
        access: Access::Public,
        counts: Counts::Besides(LimitName::PasswordReset),
    } about {
        sample: Sample::body(r#"{ "email": "owner@example.com" }"#),
    }

    /// Set a new password by the mailed link
    ///
    /// Ends all sessions of the user, and unlocks the account.
    Post "/api/auth/password-reset/confirm"
    CONFIRM_PASSWORD_RESET "confirm-password-reset" => confirm_password_reset::confirm_password_reset {
        access: Access::Public,
    } about {
        failures: &[Code::Unauthenticated],
        sample: Sample::body(r#"{ "token": "$resetToken", "password": "four oak tables and a lamp" }"#),
    }

    /// Accept an invitation by the mailed link
    ///
    /// An address without an account gets one, with this password. One with a second factor needs its code, as at a login.
    Post "/api/auth/invitations/accept"
    ACCEPT_INVITATION "accept-invitation" => accept_invitation::accept_invitation {
        access: Access::Public,
    } about {
        failures: &[Code::Unauthenticated, Code::InvalidCredentials, Code::TotpRequired, Code::LimitReached],
        cookie: "Begins the session.",
        sample: Sample::body(r#"{ "token": "$invitationToken", "password": "four oak tables and a lamp" }"#),
    }
}
