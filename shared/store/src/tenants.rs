//! Tenants: a card that is created on first use, and a row for the list.

use contract::resource::Tenant;
use contract::{Error, Time};

use crate::OpContext;
use crate::change::Change;
use crate::definitions::Loaded;
use crate::document::{from_doc, to_doc};
use crate::dynamo::{number, text};
use crate::grant::granted;
use crate::keys::{self, Kind};
use crate::page::{Listing, Page, PageRequest};
use crate::scope::TenantScope;
use crate::tables::Table;

/// The client's tenants.
pub struct Tenants {
    op: OpContext,
}

granted! {
    Tenants { Main Query [Tenants]; }
}

impl Tenants {
    /// The tenants of the request's client.
    #[must_use]
    pub fn open(op: &OpContext) -> Self {
        Self { op: op.clone() }
    }

    /// The tenants, by identifier.
    ///
    /// # Errors
    /// `malformed_request` for a cursor of another list.
    pub async fn list(&self, page: &PageRequest) -> Result<Page<Tenant>, Error> {
        let pk = format!("{}{}", Kind::Tenants.prefix(), self.op.scope.client());
        let listing =
            Listing { table: Table::Main, pk: &pk, prefix: "", bound: &["list-tenants"], seal: self.op.scope.seal() };
        self.op.store.page(&listing, page, |row| row.contains_key("doc").then(|| from_doc(&row)).transpose()).await
    }
}

/// What goes with the first write of a tenant: `card`, a change of its card, completed, and its row in the list. With
/// any later write `card` goes alone.
pub(crate) fn first_use(scope: &TenantScope, at: Time, loaded: &Loaded, card: Change) -> Result<Vec<Change>, Error> {
    if loaded.tenant.is_some() {
        return Ok(vec![card]);
    }
    let doc = to_doc(&Tenant { tenant_id: scope.tenant().clone(), created_at: at })?;
    let card = card.set("doc", text(doc.as_str())).set("epoch", number(0)).when("attribute_not_exists(#doc)");
    Ok(vec![card, Change::put(keys::tenant_row(scope)).set("doc", text(doc))])
}
