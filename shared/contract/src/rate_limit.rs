//! Rate limits: what is counted, how much of it each allows, and what a deployment says in place of that.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{Broken, Time};

macro_rules! limits {
    ($($(#[$about:meta])+ $name:ident $config:literal $shown:literal $count:literal / $seconds:literal;)+) => {
        /// What is counted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum LimitName { $($(#[$about])+ $name),+ }

        impl LimitName {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// What it is called where it is set.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $config),+ }
            }

            /// What its caller is told that it is called.
            #[must_use]
            pub const fn shown(self) -> &'static str {
                match self { $(Self::$name => $shown),+ }
            }
        }

        const DEFAULTS: &[Rate] = &[$(Rate { count: $count, seconds: $seconds }),+];
    };
}

limits! {
    /// Requests of an address without a valid credential.
    Address "address" "address" 60 / 1;
    /// Requests of a session of the dashboard.
    Session "session" "session" 1_000 / 900;
    /// Requests with embed tokens of a tenant.
    Embed "embed" "embed" 1_000 / 900;
    /// Embed tokens that a key makes.
    Token "token" "token" 50 / 900;
    /// Logins of an address.
    Login "login" "login" 10 / 900;
    /// Signups of an address.
    Signup "signup" "signup" 10 / 900;
    /// Resets of passwords that an address asks for.
    PasswordReset "password-reset" "password-reset" 5 / 900;
    /// Requests of a management key.
    Management "management" "key" 30 / 1;
    /// Requests of a delivery or preview key.
    Delivery "delivery" "key" 100 / 1;
}

/// How many, in how many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    count: u32,
    seconds: u32,
}

impl Rate {
    /// The greatest count that can be set.
    const MOST: u32 = 1_000_000;
    /// The longest window that can be set: a day.
    const LONGEST: u32 = 86_400;

    /// So many a second.
    #[must_use]
    pub const fn per_second(count: u32) -> Self {
        Self { count, seconds: 1 }
    }

    /// How many; at least one.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.count
    }

    /// In how many seconds; at least one.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.seconds
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.count, self.seconds)
    }
}

impl FromStr for Rate {
    type Err = Broken;

    fn from_str(text: &str) -> Result<Self, Broken> {
        let within = |text: &str, most: u32| text.parse().ok().filter(|number| (1..=most).contains(number));
        let read = text.split_once('/').and_then(|(count, seconds)| {
            Some(Self { count: within(count, Self::MOST)?, seconds: within(seconds, Self::LONGEST)? })
        });
        read.ok_or_else(|| {
            let form = format!("COUNT from 1 to {}, SECONDS from 1 to {}", Self::MOST, Self::LONGEST);
            Broken::new("wrong_format", format!("Must be COUNT/SECONDS with {form}."))
        })
    }
}

/// A limit in place of its default: `login=10/900`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedRate {
    /// What is counted.
    pub name: LimitName,
    /// How much of it is allowed.
    pub rate: Rate,
}

impl FromStr for NamedRate {
    type Err = Broken;

    fn from_str(text: &str) -> Result<Self, Broken> {
        let names = || LimitName::ALL.iter().map(|name| name.name()).collect::<Vec<_>>().join(", ");
        let form = || Broken::new("wrong_format", format!("Must be NAME=COUNT/SECONDS with NAME one of {}.", names()));
        let (name, rate) = text.split_once('=').ok_or_else(form)?;
        let name = LimitName::ALL.iter().copied().find(|known| known.name() == name).ok_or_else(form)?;
        Ok(Self { name, rate: rate.parse()? })
    }
}

/// The limits of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimits {
    rates: Vec<Rate>,
    ceiling: u32,
}

impl Default for RateLimits {
    /// The contract's.
    fn default() -> Self {
        Self { rates: DEFAULTS.to_vec(), ceiling: Self::CEILING }
    }
}

impl RateLimits {
    /// The requests a second that a client may set for its keys, or a key may have, unless a deployment says otherwise.
    pub const CEILING: u32 = 10_000;

    /// The same rate for all of them.
    #[must_use]
    pub fn uniform(rate: Rate) -> Self {
        Self { rates: vec![rate; DEFAULTS.len()], ..Self::default() }
    }

    /// With these in place of the defaults; of several of one name the last counts.
    #[must_use]
    pub fn with(mut self, named: impl IntoIterator<Item = NamedRate>) -> Self {
        for NamedRate { name, rate } in named {
            if let Some(own) = self.rates.get_mut(name as usize) {
                *own = rate;
            }
        }
        self
    }

    /// With another ceiling.
    #[must_use]
    pub fn with_ceiling(self, ceiling: u32) -> Self {
        Self { ceiling, ..self }
    }

    /// How much of this is allowed where nobody says otherwise.
    #[must_use]
    pub fn of(&self, name: LimitName) -> Rate {
        self.rates.get(name as usize).copied().unwrap_or(Rate::per_second(1))
    }

    /// The requests a second that a client may set for its keys, or a key may have, at the most.
    #[must_use]
    pub const fn ceiling(&self) -> u32 {
        self.ceiling
    }

    /// Whether a client may set so many requests a second.
    ///
    /// # Errors
    /// `out_of_range`: it is above the ceiling.
    pub fn allow(&self, per_second: u32) -> Result<(), Broken> {
        if per_second <= self.ceiling {
            return Ok(());
        }
        let message = format!("Must be from 1 to {}: this deployment allows no more.", self.ceiling);
        Err(Broken::new("out_of_range", message))
    }

    /// How much of a key's requests is allowed: what the key has, or else what its client says, neither above the
    /// ceiling, or else what the deployment does.
    #[must_use]
    pub fn of_key(&self, name: LimitName, own: Option<u32>, client: Option<u32>) -> Rate {
        own.or(client).map_or_else(|| self.of(name), |count| Rate::per_second(count.min(self.ceiling)))
    }
}

impl FromStr for RateLimits {
    type Err = Broken;

    /// `address=60/1,login=10/900`, in place of those defaults; nothing leaves them all.
    fn from_str(text: &str) -> Result<Self, Broken> {
        let named = text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::parse);
        Ok(Self::default().with(named.collect::<Result<Vec<NamedRate>, _>>()?))
    }
}

/// How a limit of a caller's stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LimitStanding {
    /// What it is called: a rate limit as in the header `RateLimit`, else what is counted.
    pub name: &'static str,
    /// How much is allowed.
    pub limit: u64,
    /// How much of that is left.
    pub remaining: u64,
    /// When there is more again; now, if nothing is used. `null` of what stays until something is deleted.
    pub reset_at: Option<Time>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_or_refused() {
        let limits: RateLimits = "login=3/60, address=7/2".parse().unwrap();
        assert_eq!(limits.of(LimitName::Login).to_string(), "3/60");
        assert_eq!(limits.of(LimitName::Address).to_string(), "7/2");
        assert_eq!(limits.of(LimitName::Signup).to_string(), "10/900");
        assert_eq!("".parse::<RateLimits>(), Ok(RateLimits::default()));
        for bad in
            ["login", "login=10", "nobody=1/1", "login=0/1", "login=1/0", "login=-1/1", "login=1/1/1", "login=1/86401"]
        {
            assert!(bad.parse::<RateLimits>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_goes_before_its_client_and_neither_above_the_ceiling() {
        let limits = RateLimits::default().with_ceiling(50);
        let of = |own, client| limits.of_key(LimitName::Management, own, client).to_string();
        assert_eq!(of(None, None), "30/1");
        assert_eq!(of(None, Some(40)), "40/1");
        assert_eq!(of(Some(5), Some(40)), "5/1");
        assert_eq!((of(Some(51), None), of(None, Some(51))), ("50/1".to_owned(), "50/1".to_owned()));
    }
}
