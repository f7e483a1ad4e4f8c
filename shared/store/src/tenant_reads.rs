//! All of a tenant, as the API shows it, for an export.

use std::sync::Arc;

use contract::id::{ClientId, GroupId};
use contract::names::{GroupRef, TenantId};
use contract::resource::{EntityValues, FieldGroup, GlobalField, Tenant, TenantField};
use contract::{Code, Error};

use crate::author::Author;
use crate::document::from_doc;
use crate::dynamo::KeyRange;
use crate::erased_tenants;
use crate::grant::{List, granted};
use crate::keys;
use crate::page::{Page, PageRequest};
use crate::scope::TenantScope;
use crate::tables::Table;
use crate::tenants::is_erasing;
use crate::values::Values;
use crate::{OpContext, Store};

/// Reads tenants.
#[derive(Clone)]
pub struct TenantReads {
    store: Store,
}

granted! {
    TenantReads {
        Main GetItem [Client, TenantFields];
        Main BatchGetItem [Definitions, TenantFields];
        Main Query [Definitions, TenantFields, GroupKeys, GlobalFields, Values];
    }
}

/// A tenant that is read.
pub struct Reading {
    op: OpContext,
    scope: TenantScope,
    /// The tenant.
    pub tenant: Tenant,
}

impl TenantReads {
    /// Of the tenants of a store.
    #[must_use]
    pub fn open(store: &Store) -> Self {
        Self { store: store.clone() }
    }

    /// A tenant; none, if it is being erased, or was.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn tenant(&self, client: ClientId, tenant: &TenantId) -> Result<Option<Reading>, Error> {
        let scope = erased_tenants::scope(&self.store, client, tenant).await?;
        let card = self.store.get(&keys::tenant(&scope)).await?;
        let Some(card) = card.filter(|card| card.contains_key("doc") && !is_erasing(card)) else { return Ok(None) };
        let author = Author::of_no_caller("system", "run-jobs", self.store.clock().now());
        let op = OpContext::new(self.store.clone(), scope.client_scope().clone(), Arc::new(author));
        Ok(Some(Reading { op, scope, tenant: from_doc(&card)? }))
    }
}

impl Reading {
    /// The client's field groups, by key.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn groups(&self) -> Result<Vec<FieldGroup>, Error> {
        self.all(&keys::group_keys_pk(&self.op.scope), keys::GROUP_KEYS).await
    }

    /// The client's global fields, oldest first.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn global_fields(&self) -> Result<Vec<GlobalField>, Error> {
        self.all(&keys::global_fields_pk(&self.op.scope), contract::id::FieldId::PREFIX).await
    }

    async fn all<T: serde::de::DeserializeOwned>(&self, pk: &str, prefix: &str) -> Result<Vec<T>, Error> {
        let range = KeyRange { table: Table::Main, pk, prefix, after: None, limit: None };
        self.op.store.query(&range).await?.iter().map(from_doc).collect()
    }

    /// The tenant's own fields in a group; none, if the group has been deleted.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn fields(&self, group: GroupId) -> Result<Vec<TenantField>, Error> {
        match self.op.load(&self.scope, &GroupRef::Id(group), |_| Vec::new()).await {
            Ok(loaded) => Ok(loaded.fields.own.clone()),
            Err(error) if error.code() == Code::FieldGroupNotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// A page of a group's values, by entity; nothing, if the group has been deleted.
    ///
    /// # Errors
    /// `unavailable`, `internal`.
    pub async fn values(&self, group: GroupId, cursor: Option<String>) -> Result<Page<EntityValues>, Error> {
        let page = PageRequest { limit: 100, cursor };
        match Values::<List>::open(&self.op, self.scope.clone()).list(&GroupRef::Id(group), &page).await {
            Err(error) if error.code() == Code::FieldGroupNotFound => Ok(Page { items: Vec::new(), next_cursor: None }),
            read => read,
        }
    }
}
