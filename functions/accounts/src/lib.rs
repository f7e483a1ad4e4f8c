//! Accounts and sessions.

mod accept_invitation;
mod change_password;
mod confirm_password_reset;
mod end_other_sessions;
mod end_session;
mod get_session;
mod list_sessions;
mod log_in;
mod log_out;
mod request_password_reset;
mod sign_up;

use contract::Code;
use runtime::{Access, Sample};

runtime::routes! {
    /// Open an account
    Post "/api/auth/signup"
    SIGN_UP "sign-up" => sign_up::sign_up {
        access: Access::Public,
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
    } about {
        failures: &[Code::InvalidCredentials],
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

    /// Have a link to a new password mailed
    ///
    /// The answer is the same whether or not there is such an account. The link lives for 30 minutes and works once; a
    /// second request ends the first link.
    Post "/api/auth/password-reset"
    REQUEST_PASSWORD_RESET "request-password-reset" => request_password_reset::request_password_reset {
        access: Access::Public,
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
    /// An address without an account gets one, with this password.
    Post "/api/auth/invitations/accept"
    ACCEPT_INVITATION "accept-invitation" => accept_invitation::accept_invitation {
        access: Access::Public,
    } about {
        failures: &[Code::Unauthenticated, Code::LimitReached],
        cookie: "Begins the session.",
        sample: Sample::body(r#"{ "token": "$invitationToken", "password": "four oak tables and a lamp" }"#),
    }
}
