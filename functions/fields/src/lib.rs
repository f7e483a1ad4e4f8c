//! Global fields, tenant fields, and the list of both.

mod global;
mod rules;
mod tenant;

runtime::routes! {
    CREATE_GLOBAL: CREATE_GLOBAL_FIELD => global::create::create,
    LIST_GLOBAL: LIST_GLOBAL_FIELDS => global::list::list,
    GET_GLOBAL: GET_GLOBAL_FIELD => global::get::get,
    UPDATE_GLOBAL: UPDATE_GLOBAL_FIELD => global::update::update,
    DELETE_GLOBAL: DELETE_GLOBAL_FIELD => global::delete::delete,
    RESTORE_GLOBAL: RESTORE_GLOBAL_FIELD => global::restore::restore,
    CREATE_TENANT: CREATE_TENANT_FIELD => tenant::create::create,
    LIST: LIST_FIELDS => tenant::list::list,
    GET_TENANT: GET_TENANT_FIELD => tenant::get::get,
    UPDATE_TENANT: UPDATE_TENANT_FIELD => tenant::update::update,
    DELETE_TENANT: DELETE_TENANT_FIELD => tenant::delete::delete,
    RESTORE_TENANT: RESTORE_TENANT_FIELD => tenant::restore::restore,
}
