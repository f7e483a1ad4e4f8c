//! API keys.

mod create;
mod delete;
mod get;
mod list;
mod rules;
mod update;

runtime::routes! {
    CREATE: CREATE_API_KEY => create::create,
    LIST: LIST_API_KEYS => list::list,
    GET: GET_API_KEY => get::get,
    UPDATE: UPDATE_API_KEY => update::update,
    DELETE: DELETE_API_KEY => delete::delete,
}
