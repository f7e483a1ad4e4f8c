//! Accounts and sessions.

mod get_session;
mod log_in;
mod log_out;
mod sign_up;

runtime::routes! {
    SIGN_UP: SIGN_UP => sign_up::sign_up,
    LOG_IN: LOG_IN => log_in::log_in,
    LOG_OUT: LOG_OUT => log_out::log_out,
    GET_SESSION: GET_SESSION => get_session::get_session,
}
