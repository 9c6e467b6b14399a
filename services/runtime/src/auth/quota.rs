//! How often an organisation and a subject may call: token buckets, found once a token and asked at every call.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};
use kernel::{Error, Organisation, Reason};

use super::claims::Claims;
use crate::settings::AuthSettings;

/// Buckets that are kept at most; beyond, those that no remembered token uses are forgotten.
const BUCKETS_MAX: usize = 16_384;

type Bucket = Arc<DefaultDirectRateLimiter>;

/// The buckets of everybody who has called.
pub(super) struct Quotas {
    organisation: Option<Quota>,
    subject: Option<Quota>,
    buckets: Mutex<HashMap<(Organisation, Option<String>), Bucket>>,
}

/// The buckets from which a caller takes, none for who is not metered.
#[derive(Clone, Default)]
pub(crate) struct Meter {
    /// The subject's before the organisation's: whoever is refused alone takes nothing from the others.
    buckets: [Option<Bucket>; 2],
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meter")
    }
}

/// How often an address may call without a good token. Who has one is not asked where they come from.
pub(super) struct Strangers(Option<DefaultKeyedRateLimiter<IpAddr>>);

impl Strangers {
    pub(super) fn new(settings: &AuthSettings) -> Self {
        let quota = NonZeroU32::new(settings.unauthenticated_calls_per_s).map(Quota::per_second);
        Self(quota.map(RateLimiter::keyed))
    }

    /// Takes a call from the address's bucket.
    pub(super) fn take(&self, address: Option<IpAddr>) -> Result<(), Error> {
        let Some((buckets, address)) = self.0.as_ref().zip(address) else { return Ok(()) };
        if buckets.len() >= BUCKETS_MAX {
            buckets.retain_recent();
        }
        let Err(full) = buckets.check_key(&network(address)) else { return Ok(()) };
        let wait = full.wait_time_from(DefaultClock::default().now()).max(Duration::from_millis(1));
        Err(Error::refused(
            Reason::QuotaExceeded,
            "The address calls without a good token more often than it may; nothing was done.",
        )
        .with("subject", address)
        .with_retry_after(wait))
    }
}

/// Whoever has one IPv6 address has the 64 bits below it too.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// So many a second, twice as many at once; 0 is as many as one likes.
fn quota(calls_per_s: u32) -> Option<Quota> {
    let burst = NonZeroU32::new(calls_per_s.saturating_mul(2))?;
    Some(Quota::per_second(NonZeroU32::new(calls_per_s)?).allow_burst(burst))
}

impl Quotas {
    pub(super) fn new(settings: &AuthSettings) -> Self {
        Self {
            organisation: quota(settings.organisation_calls_per_s),
            subject: quota(settings.subject_calls_per_s),
            buckets: Mutex::default(),
        }
    }

    /// The meter of whoever has these claims. Our own services work for others and are not metered.
    pub(super) fn meter(&self, claims: &Claims) -> Meter {
        if matches!(claims.organisation, Organisation::Service(_)) {
            return Meter::default();
        }
        let of = |subject: Option<String>, quota: Option<Quota>| {
            quota.map(|quota| self.bucket((claims.organisation.clone(), subject), quota))
        };
        Meter { buckets: [of(Some(claims.subject.clone()), self.subject), of(None, self.organisation)] }
    }

    fn bucket(&self, whose: (Organisation, Option<String>), quota: Quota) -> Bucket {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS_MAX {
            buckets.retain(|_, bucket| Arc::strong_count(bucket) > 1);
        }
        Arc::clone(buckets.entry(whose).or_insert_with(|| Arc::new(RateLimiter::direct(quota))))
    }
}

impl Meter {
    /// Takes a call from each bucket.
    pub(crate) fn take(&self, organisation: &Organisation) -> Result<(), Error> {
        for (bucket, of) in self.buckets.iter().zip(["caller", "organisation"]) {
            if let Some(Err(full)) = bucket.as_ref().map(|bucket| bucket.check()) {
                let wait = full.wait_time_from(DefaultClock::default().now()).max(Duration::from_millis(1));
                return Err(refused(of, organisation, wait));
            }
        }
        Ok(())
    }
}

fn refused(of: &str, organisation: &Organisation, wait: Duration) -> Error {
    Error::refused(Reason::QuotaExceeded, format!("The {of} calls more often than it may; nothing was done."))
        .with("subject", organisation)
        .with_retry_after(wait)
}
