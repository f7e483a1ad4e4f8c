//! What a route is, as data: all that the gates need to know of it.

use contract::rate_limit::LimitName;

use crate::spec::access::Access;

/// The methods in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// GET
    Get,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
    /// Whatever no other route takes; on `$default` only.
    Any,
}

impl Method {
    /// Whether it may change something, and so must come from a page of the deployment if a browser sends it.
    #[must_use]
    pub const fn is_change(self) -> bool {
        !matches!(self, Self::Get | Self::Any)
    }

    /// The method's own token (RFC 9110 §9.1).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Any => "ANY",
        }
    }

    /// The tokens that a route of this method takes: what answers GET answers HEAD as well (RFC 9110 §9.3.2).
    #[must_use]
    pub const fn tokens(self) -> &'static [&'static str] {
        match self {
            Self::Get => &["GET", "HEAD"],
            Self::Post => &["POST"],
            Self::Put => &["PUT"],
            Self::Patch => &["PATCH"],
            Self::Delete => &["DELETE"],
            Self::Any => &[],
        }
    }
}

/// One route. Its `id` is the operation's id, the binary's name, the function's name and a field of the log.
#[derive(Debug)]
pub struct Route {
    /// `create-field-group`
    pub id: &'static str,
    /// The package under `functions/` that holds it.
    pub package: &'static str,
    /// The method.
    pub method: Method,
    /// The path with its parameters: `/api/v1/field-groups/{groupId}`; `$default` is what no other route takes.
    pub path: &'static str,
    /// Who may enter.
    pub access: Access,
    /// The largest body that it takes, in bytes.
    pub max_body: usize,
    /// The headers of its answers that differ by route.
    pub headers: HeaderPolicy,
    /// What it does without.
    pub goes_on: GoesOn,
    /// What its requests count under.
    pub counts: Counts,
    /// Whether its handler touches the store.
    pub uses_store: bool,
    /// Whether its handler takes a body.
    pub takes_body: bool,
    /// Adds the names of the query parameters that its handler takes.
    pub query: fn(&mut Vec<&'static str>),
}

/// What a route that changes something does without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoesOn {
    /// Nothing: the client has to be open, and its subscription in force.
    Open,
    /// A subscription: what pays for one, and what takes access away.
    Unsubscribed,
    /// An open client, too: what an owner sees of a closed one, and restores it by.
    Closed,
}

/// Which rate limits a route's requests count under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// That of whoever asks.
    Usual,
    /// This one besides, of the key or else of the address. It guards passwords or tokens, so that the route is closed
    /// while nobody can count.
    Besides(LimitName),
    /// None, if there is a valid credential.
    Nothing,
}

/// The headers that are not the same for all routes (contract: Conventions; Pages and SDK).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderPolicy {
    /// `Cache-Control`
    pub cache_control: &'static str,
    /// `Content-Security-Policy`
    pub content_security_policy: &'static str,
}

impl HeaderPolicy {
    /// JSON that nobody keeps and no page shows.
    pub const API: Self =
        Self { cache_control: "no-store", content_security_policy: "default-src 'none'; frame-ancestors 'none'" };
}

impl Route {
    /// A route as most are: the largest body that is usual, the API's headers; no place and no arguments yet.
    #[must_use]
    pub const fn usual(method: Method, access: Access) -> Self {
        Self {
            id: "",
            package: "",
            method,
            path: "",
            access,
            max_body: Self::MAX_BODY,
            headers: HeaderPolicy::API,
            goes_on: GoesOn::Open,
            counts: Counts::Usual,
            uses_store: false,
            takes_body: false,
            query: |_| {},
        }
    }

    /// The largest body of most routes, in bytes (contract: `payload_too_large`).
    pub const MAX_BODY: usize = 1024 * 1024;

    /// The names of the path's parameters, in order.
    pub fn parameters(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    /// Whether it is for what changes something.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.method.is_change()
    }

    /// Whether it is about the account of whoever is logged in, and not about the client.
    #[must_use]
    pub fn is_of_ones_account(&self) -> bool {
        self.access == Access::session() && self.path.starts_with("/api/auth/")
    }

    /// Whether it accepts an `Idempotency-Key`: every `POST` under `/api/v1` does.
    #[must_use]
    pub fn idempotent(&self) -> bool {
        self.method == Method::Post && self.path.starts_with("/api/v1/")
    }

    /// Whether it refuses query parameters that it does not know: what manages and what logs in does, since a filter
    /// that is not understood must not answer everything. Health checks and caches add some of their own.
    #[must_use]
    pub fn knows_its_query(&self) -> bool {
        self.path.starts_with("/api/v1/") || self.path.starts_with("/api/auth/")
    }

    /// The path's parameters, if this is a path of this route.
    #[must_use]
    pub fn matches<'p>(&self, path: &'p str) -> Option<Vec<(&'static str, &'p str)>> {
        matches(self.path, path)
    }
}

/// Whether pages of other origins call what is at a path, as far as they are listed: what API keys and embed tokens reach.
#[must_use]
pub fn pages_may_call(path: &str) -> bool {
    path.starts_with("/api/v1/") || path == "/api/auth/token"
}

/// The parameters of a path, if it has the form of `pattern`. Segments are compared as they were sent, undecoded, so
/// that an encoded separator stays inside its segment.
#[must_use]
pub fn matches<'p>(pattern: &'static str, path: &'p str) -> Option<Vec<(&'static str, &'p str)>> {
    let mut found = Vec::new();
    let mut sent = path.split('/');
    for part in pattern.split('/') {
        let segment = sent.next()?;
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) if !segment.is_empty() => found.push((name, segment)),
            None if segment == part => {}
            _ => return None,
        }
    }
    sent.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_matches_by_whole_segments() {
        let path = "/api/v1/field-groups/{groupId}";
        assert_eq!(matches(path, "/api/v1/field-groups/a%2Fb"), Some(vec![("groupId", "a%2Fb")]));
        for other in
            ["/api/v1/field-groups", "/api/v1/field-groups/", "/api/v1/field-groups/a/b", "/api/v1/field-group/a"]
        {
            assert_eq!(matches(path, other), None, "{other}");
        }
    }
}
