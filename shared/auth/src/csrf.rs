//! Requests that another site makes a browser send: told by what the browser says of their source (contract:
//! Credentials; Fetch Metadata, W3C; OWASP CSRF Prevention Cheat Sheet, "Verifying Origin With Standard Headers").

use contract::Origin;

/// What a browser says of a request's source. A header that is there twice, or is not text, is one that nothing fits.
#[derive(Debug, Clone, Copy, Default)]
pub struct Source<'h> {
    /// `Sec-Fetch-Site`
    pub fetch_site: Option<&'h str>,
    /// `Origin`
    pub origin: Option<&'h str>,
    /// `Referer`
    pub referer: Option<&'h str>,
}

/// What a request has to say of its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Something: a cookie goes with requests of every page.
    Needed,
    /// Nothing, or what is right: programs send none of these headers.
    IfThere,
}

impl Source<'_> {
    /// Whether a request that changes something may come from there, for a deployment at `own`.
    #[must_use]
    pub fn is_trusted(&self, own: &Origin, proof: Proof) -> bool {
        let page = self.origin.or(self.referer);
        if self.fetch_site.is_none() && page.is_none() {
            return proof == Proof::IfThere;
        }
        self.fetch_site.is_none_or(|site| matches!(site, "same-origin" | "none"))
            && page.is_none_or(|page| origin_of(page).is_some_and(|origin| own.is_same_place(&origin)))
    }
}

/// The origin of an `Origin` or `Referer`.
fn origin_of(address: &str) -> Option<Origin> {
    let (scheme, rest) = address.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    format!("{scheme}://{host}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "https://api.example.com";

    /// Every combination of the three headers, each absent, right or wrong, with and without the need of one.
    #[test]
    fn all_that_is_said_has_to_be_right() {
        let own: Origin = OWN.parse().expect("an origin");
        let sites = [(None, None), (Some("same-origin"), Some(true)), (Some("none"), Some(true))].into_iter().chain(
            ["same-site", "cross-site", "", "Same-Origin", "same-origin, none"].map(|site| (Some(site), Some(false))),
        );
        let pages: Vec<(Option<&str>, Option<bool>)> = [(None, None)]
            .into_iter()
            .chain(
                [OWN, "https://API.example.com:443", "https://api.example.com/admin?x#y"]
                    .map(|page| (Some(page), Some(true))),
            )
            .chain(
                [
                    "null",
                    "",
                    "https://evil.example",
                    "https://api.example.com.evil.example",
                    "https://api.example.com@evil.example",
                    "https://evil.example/https://api.example.com",
                    "http://api.example.com",
                    "https://api.example.com:444",
                    "https://sub.api.example.com",
                    "api.example.com",
                    "https:api.example.com",
                    "https://api.example.com\\.evil.example",
                ]
                .map(|page| (Some(page), Some(false))),
            )
            .collect();
        let mut trusted = 0;
        for (fetch_site, site_is_right) in sites {
            for (origin, origin_is_right) in &pages {
                for (referer, referer_is_right) in &pages {
                    let source = Source { fetch_site, origin: *origin, referer: *referer };
                    let said = [site_is_right, origin_is_right.or(*referer_is_right)];
                    let all_right = said.iter().flatten().all(|right| *right);
                    let something = said.iter().flatten().count() > 0;
                    assert_eq!(source.is_trusted(&own, Proof::IfThere), all_right, "{source:?}");
                    assert_eq!(source.is_trusted(&own, Proof::Needed), all_right && something, "{source:?}");
                    trusted += u32::from(all_right && something);
                }
            }
        }
        assert!(trusted > 0);
    }

    #[test]
    fn one_machine_has_several_names() {
        let own: Origin = "http://127.0.0.1:3000".parse().expect("an origin");
        let trusted = |origin| Source { origin: Some(origin), ..Source::default() }.is_trusted(&own, Proof::Needed);
        assert!(trusted("http://localhost:3000") && trusted("http://[::1]:3000"));
        assert!(
            !trusted("http://localhost:3001") && !trusted("https://localhost:3000") && !trusted("http://localhost")
        );
    }
}
