//! What a route is, as data: everything that the gates and the descriptions need to know of it.

use crate::permission::{Permission, Role};

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

/// Who may enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone; credentials are not looked at.
    Public,
    /// Whoever is logged in.
    Session,
    /// Whoever is logged in with at least this role; no API key.
    Member(Role),
    /// A management key with this permission, or a session whose role allows it.
    Management(Permission),
    /// The same with any of these permissions.
    ManagementAny(&'static [Permission]),
}

/// One route. Its `id` is the operation's id, the binary's name, the function's name and a field of the log.
#[derive(Debug, PartialEq, Eq)]
pub struct Meta {
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
    /// What it does, in a few words.
    pub summary: &'static str,
}

impl Meta {
    /// The names of the path's parameters, in order.
    pub fn parameters(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
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

    /// The path's parameters, if this is a path of this route. Segments are compared as they were sent, undecoded, so
    /// that an encoded separator stays inside its segment.
    #[must_use]
    pub fn matches<'p>(&self, path: &'p str) -> Option<Vec<(&'static str, &'p str)>> {
        let mut found = Vec::new();
        let mut sent = path.split('/');
        for part in self.path.split('/') {
            let segment = sent.next()?;
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                Some(name) if !segment.is_empty() => found.push((name, segment)),
                None if segment == part => {}
                _ => return None,
            }
        }
        sent.next().is_none().then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use crate::routes;

    #[test]
    fn a_path_matches_by_whole_segments() {
        let meta = &routes::GET_FIELD_GROUP;
        assert_eq!(meta.matches("/api/v1/field-groups/a%2Fb"), Some(vec![("groupId", "a%2Fb")]));
        for other in
            ["/api/v1/field-groups", "/api/v1/field-groups/", "/api/v1/field-groups/a/b", "/api/v1/field-group/a"]
        {
            assert_eq!(meta.matches(other), None, "{other}");
        }
    }
}
