//! `PATCH /api/v1/settings`

use contract::rate_limit::RateLimits;
use contract::resource::RequestsPerSecond;
use contract::settings::{IpBlocks, Origins, Settings};
use contract::{Broken, Code, Error, Precondition, Problems, Whole};
use deserr::Deserr;
use runtime::{Body, Found, NotNull, Patch, RequestInfo};
use schemars::JsonSchema;
use store::grant::Update;
use store::settings::ClientSettings;

/// A change of the settings; members left out stay.
#[derive(Deserr, JsonSchema, Default)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct UpdateSettings {
    /// The version that the change is meant for.
    #[deserr(default)]
    version: NotNull<Version>,
    #[deserr(default)]
    cors: NotNull<ChangeOrigins>,
    #[deserr(default)]
    embed: NotNull<ChangeOrigins>,
    #[deserr(default)]
    ip_allowlist: NotNull<ChangeIpAllowlist>,
    #[deserr(default)]
    rate_limits: NotNull<ChangeRateLimits>,
}

impl Body for UpdateSettings {}

/// 1 or more.
#[derive(Clone, Copy, Deserr, JsonSchema)]
#[schemars(inline, extend("minimum" = 1))]
#[deserr(error = Problems, try_from(Whole) = Self::checked -> Broken)]
struct Version(u32);

impl Version {
    fn checked(number: Whole) -> Result<Self, Broken> {
        number.within(1..=u32::MAX).map(Self)
    }
}

#[derive(Deserr, JsonSchema, Default)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct ChangeOrigins {
    #[deserr(default)]
    origins: NotNull<Origins>,
}

#[derive(Deserr, JsonSchema, Default)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct ChangeIpAllowlist {
    #[deserr(default)]
    enabled: NotNull<bool>,
    #[deserr(default)]
    entries: NotNull<IpBlocks>,
    #[deserr(default)]
    apply_to_admin: NotNull<bool>,
}

#[derive(Deserr, JsonSchema, Default)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct ChangeRateLimits {
    /// The deployment's own, if it is `null`.
    #[deserr(default)]
    management_per_second: Patch<RequestsPerSecond>,
    /// The deployment's own, if it is `null`.
    #[deserr(default)]
    delivery_per_second: Patch<RequestsPerSecond>,
}

pub(crate) async fn update(
    settings: ClientSettings<Update>,
    precondition: Option<Precondition>,
    info: RequestInfo,
    limits: RateLimits,
    body: UpdateSettings,
) -> Result<Found<Settings>, Error> {
    let version = body.version.0.map(|Version(version)| Precondition::Version(version.into()));
    let change = |settings: &mut Settings| {
        body.apply(settings);
        let list = &settings.ip_allowlist;
        let mut problems = body.above(&limits);
        if list.enabled && list.entries.as_slice().is_empty() {
            problems.add("ipAllowlist.entries", "too_few", "A list in force must have at least 1 entry.");
        }
        problems.or(())?;
        // Of the addresses that are shut out, the one that asks could not take it back.
        if list.apply_to_admin && !list.admits(info.address) {
            return Err(Code::IpLockout.into());
        }
        Ok(())
    };
    Ok(Found(settings.update([version, precondition], change).await?))
}

impl UpdateSettings {
    /// The rate limits that are above what the deployment allows.
    fn above(&self, limits: &RateLimits) -> Problems {
        let mut problems = Problems::default();
        let Some(change) = &self.rate_limits.0 else { return problems };
        for (name, change) in
            [("managementPerSecond", &change.management_per_second), ("deliveryPerSecond", &change.delivery_per_second)]
        {
            if let Patch::Set(count) = change
                && let Err(broken) = limits.allow(count.number())
            {
                problems.add(format!("rateLimits.{name}"), broken.code, broken.message);
            }
        }
        problems
    }

    fn apply(&self, to: &mut Settings) {
        for (change, list) in [(&self.cors, &mut to.cors), (&self.embed, &mut to.embed)] {
            if let Some(origins) = change.0.as_ref().and_then(|change| change.origins.0.as_ref()) {
                list.origins = origins.clone();
            }
        }
        if let Some(ChangeIpAllowlist { enabled, entries, apply_to_admin }) = &self.ip_allowlist.0 {
            let list = &mut to.ip_allowlist;
            list.enabled = enabled.0.unwrap_or(list.enabled);
            list.apply_to_admin = apply_to_admin.0.unwrap_or(list.apply_to_admin);
            if let Some(entries) = &entries.0 {
                list.entries = entries.clone();
            }
        }
        if let Some(limits) = &self.rate_limits.0 {
            limits.management_per_second.apply(&mut to.rate_limits.management_per_second);
            limits.delivery_per_second.apply(&mut to.rate_limits.delivery_per_second);
        }
    }
}
