//! Accounts and sessions.

mod get_session;
mod log_in;
mod log_out;
mod sign_up;

use contract::Code;
use runtime::{Access, Sample};

runtime::routes! {
    /// Open an account
    Post "/api/auth/signup"
    SIGN_UP "sign-up" => sign_up::sign_up {
        access: Access::Public,
    } about {
        failures: &[Code::EmailTaken],
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
}
