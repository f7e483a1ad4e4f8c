//! Values of entities.

mod delete;
mod get;
mod list_entities;
mod merge;
mod replace;
mod restore;
mod sent;

runtime::routes! {
    LIST_ENTITIES: LIST_ENTITIES => list_entities::list_entities,
    GET: GET_VALUES => get::get,
    MERGE: MERGE_VALUES => merge::merge,
    REPLACE: REPLACE_VALUES => replace::replace,
    DELETE: DELETE_VALUES => delete::delete,
    RESTORE: RESTORE_VALUES => restore::restore,
}
