//! Webhooks and their deliveries.

mod create;
mod delete;
mod get;
mod get_delivery;
mod list;
mod list_deliveries;
mod recover;
mod redeliver;
mod rotate_secret;
mod rules;
mod shown;
mod test;
mod update;

runtime::routes! {
    CREATE: CREATE_WEBHOOK => create::create,
    LIST: LIST_WEBHOOKS => list::list,
    GET: GET_WEBHOOK => get::get,
    UPDATE: UPDATE_WEBHOOK => update::update,
    DELETE: DELETE_WEBHOOK => delete::delete,
    ROTATE_SECRET: ROTATE_WEBHOOK_SECRET => rotate_secret::rotate_secret,
    TEST: TEST_WEBHOOK => test::test,
    LIST_DELIVERIES: LIST_DELIVERIES => list_deliveries::list,
    RECOVER: RECOVER_WEBHOOK => recover::recover,
    GET_DELIVERY: GET_DELIVERY => get_delivery::get,
    REDELIVER: REDELIVER => redeliver::redeliver,
}
