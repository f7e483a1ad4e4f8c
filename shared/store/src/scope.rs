//! Whose data a request may touch. A scope exists only because a credential was verified: its constructor is private
//! to this crate, and the crate calls it for a stored key card, a stored user, a client that has just been opened, and
//! a client of whom the stream tells.

use auth::SealKey;
use contract::id::ClientId;
use contract::names::TenantId;

/// One client's data.
#[derive(Debug, Clone)]
pub struct ClientScope {
    client: ClientId,
    seal: SealKey,
}

impl ClientScope {
    pub(crate) const fn verified(client: ClientId, seal: SealKey) -> Self {
        Self { client, seal }
    }

    /// The client.
    #[must_use]
    pub const fn client(&self) -> ClientId {
        self.client
    }

    /// The client's key for cursors and fingerprints.
    #[must_use]
    pub const fn seal(&self) -> &SealKey {
        &self.seal
    }

    /// The data of one of its tenants.
    #[must_use]
    pub fn tenant(&self, tenant: TenantId) -> TenantScope {
        TenantScope { client: self.clone(), tenant, field_limit: None }
    }
}

/// One tenant's data, and what a credential says of how many fields it may have there.
#[derive(Debug, Clone)]
pub struct TenantScope {
    client: ClientScope,
    tenant: TenantId,
    field_limit: Option<u64>,
}

impl TenantScope {
    /// The client.
    #[must_use]
    pub const fn client(&self) -> ClientId {
        self.client.client
    }

    /// The tenant.
    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The same for a credential that makes no more fields in a group than this.
    pub(crate) fn with_field_limit(self, field_limit: Option<u64>) -> Self {
        Self { field_limit, ..self }
    }

    /// The fields that the tenant may have in a group, as far as this credential makes them.
    pub(crate) const fn field_limit(&self) -> Option<u64> {
        self.field_limit
    }

    /// All of the client's data.
    #[must_use]
    pub const fn client_scope(&self) -> &ClientScope {
        &self.client
    }
}
