//! Field groups.

mod create;
mod delete;
mod get;
mod list;
mod restore;
mod update;

runtime::routes! {
    CREATE: CREATE_FIELD_GROUP => create::create,
    LIST: LIST_FIELD_GROUPS => list::list,
    GET: GET_FIELD_GROUP => get::get,
    UPDATE: UPDATE_FIELD_GROUP => update::update,
    DELETE: DELETE_FIELD_GROUP => delete::delete,
    RESTORE: RESTORE_FIELD_GROUP => restore::restore,
}
