//! Who calls: a function under its role, and what it makes of what the role grants.

use std::future::Future;
use std::sync::Arc;

use crate::grant::Grant;

tokio::task_local! {
    static ROLE: Role;
}

/// What a function may do.
#[derive(Debug, Clone)]
pub struct Role {
    function: &'static str,
    grants: Arc<[Grant]>,
}

impl Role {
    /// The role of a function.
    pub fn new(function: &'static str, grants: impl Into<Arc<[Grant]>>) -> Self {
        Self { function, grants: grants.into() }
    }

    /// Runs `future` with no more rights than the role grants: the connector refuses every other call that it makes.
    /// Tasks that it spawns are not held to them.
    pub fn hold<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        ROLE.scope(self.clone(), future)
    }

    /// Everything that the role can be used for.
    pub fn all(&self) -> Vec<Use> {
        self.grants.iter().flat_map(Grant::each).map(|grant| self.made_of(grant)).collect()
    }

    pub(crate) fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// What the function made of a grant.
    pub(crate) fn made_of(&self, (action, resource, keys): (&str, &str, Option<&str>)) -> Use {
        Use {
            function: self.function.to_owned(),
            action: action.to_owned(),
            resource: resource.to_owned(),
            keys: keys.map(str::to_owned),
        }
    }
}

/// Runs `future` with no more rights than `grants`, whoever's they are.
pub fn permitted<F: Future>(grants: impl Into<Arc<[Grant]>>, future: F) -> impl Future<Output = F::Output> {
    Role::new("", grants).hold(future)
}

/// The role in force for the task, if any is.
pub(crate) fn in_force() -> Option<Role> {
    ROLE.try_with(Role::clone).ok()
}

/// One thing that a role grants, and that its function does.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Use {
    /// The function.
    pub function: String,
    /// The action, such as `GetItem`.
    pub action: String,
    /// The name of the table, the queue, the secret or the objects, as the grant has it.
    pub resource: String,
    /// The pattern of partition keys, of what is about items.
    pub keys: Option<String>,
}
