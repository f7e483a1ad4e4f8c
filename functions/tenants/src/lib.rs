//! Tenants.

mod list;

runtime::routes! {
    LIST: LIST_TENANTS => list::list,
}
