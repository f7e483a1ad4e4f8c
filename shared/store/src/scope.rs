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
        TenantScope { client: self.clone(), tenant }
    }
}

/// One tenant's data.
#[derive(Debug, Clone)]
pub struct TenantScope {
    client: ClientScope,
    tenant: TenantId,
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

    /// All of the client's data.
    #[must_use]
    pub const fn client_scope(&self) -> &ClientScope {
        &self.client
    }
}
