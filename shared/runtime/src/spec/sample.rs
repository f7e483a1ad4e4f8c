//! The request of a route's sample event.

/// A request of the sample account. Wherever `$name` stands, the identifier goes that the account has under that name.
/// What is deleted is a spare one, what is made has a key of its own, and what is restored is there, so that the order
/// of the events does not matter; but logging out ends the one sample session.
pub struct Sample {
    /// The path's parameters that are not the usual `tenantId`, `groupId`, `entityId`.
    pub path: &'static [(&'static str, &'static str)],
    /// The query.
    pub query: &'static [(&'static str, &'static str)],
    /// The body, as JSON.
    pub body: Option<&'static str>,
}

impl Sample {
    /// The usual parameters, no query and no body.
    pub const NOTHING: Self = Self { path: &[], query: &[], body: None };

    /// With these parameters of the path.
    #[must_use]
    pub const fn path(path: &'static [(&'static str, &'static str)]) -> Self {
        Self { path, ..Self::NOTHING }
    }

    /// With this query.
    #[must_use]
    pub const fn query(query: &'static [(&'static str, &'static str)]) -> Self {
        Self { query, ..Self::NOTHING }
    }

    /// With this body.
    #[must_use]
    pub const fn body(body: &'static str) -> Self {
        Self { body: Some(body), ..Self::NOTHING }
    }

    /// With this body as well.
    #[must_use]
    pub const fn and_body(self, body: &'static str) -> Self {
        Self { body: Some(body), ..self }
    }

    /// With this query as well.
    #[must_use]
    pub const fn and_query(self, query: &'static [(&'static str, &'static str)]) -> Self {
        Self { query, ..self }
    }
}
