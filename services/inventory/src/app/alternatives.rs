//! What a refused booking could have been instead: later, less, or elsewhere on the site. Only what is published.

use kernel::{Error, Instant, Interval, Scope, SiteName};

use super::App;
use crate::domain::availability::{BlockView, SiteView};
use crate::domain::reservation::{Claim, Profile};
use crate::domain::search;
use crate::store::market;
use crate::store::sites::SiteFilter;

/// Other blocks named at most.
const BLOCKS_MAX: usize = 5;

impl App {
    /// The refusal with `earliestTime`, `largestKw` and `otherBlocks` where there are any. They are advice: where they
    /// cannot be had the refusal stands without them.
    pub(crate) async fn with_alternatives(&self, scope: &Scope, asked: &[Claim], error: Error) -> Error {
        let refused = error.get("block").unwrap_or_default();
        let Some(claim) = asked.iter().find(|claim| claim.block.to_string() == refused) else { return error };
        match self.site_now(scope, &claim.block.site_name(), claim.profile.start()).await {
            Ok(Some(site)) => advise(error, &site, claim),
            Ok(None) => error,
            Err(cause) => {
                tracing::debug!(%cause, "a refusal goes without alternatives");
                error
            }
        }
    }

    /// A site as it is promised from an instant on.
    pub(crate) async fn site_now(
        &self,
        scope: &Scope,
        site: &SiteName,
        from: Instant,
    ) -> Result<Option<SiteView>, Error> {
        let filter = &SiteFilter {
            operator: Some(site.operator.clone()),
            site: Some(site.clone()),
            ..SiteFilter::default()
        };
        let found = self
            .db
            .read("site_now", scope, |tx| async move {
                let found = market::sites(&tx, scope, filter, from).await?;
                Ok((tx, found))
            })
            .await?;
        Ok(found.into_iter().next())
    }
}

fn advise(mut error: Error, site: &SiteView, claim: &Claim) -> Error {
    let (profile, most) = (&claim.profile, claim.profile.most());
    let Ok(term) = Interval::new(profile.start(), profile.end()) else { return error };
    if let Some(block) = site.blocks.iter().find(|block| block.name == claim.block) {
        let free = block.free();
        let length = term.duration();
        let window = |at: Instant| Interval::new(at, at.checked_add_signed(length)?).ok();
        if let Some(earliest) = free.earliest_window(profile.start(), window, most) {
            let at = earliest.start().to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
            error = error.with("earliestTime", at);
        }
        if most.critical_it > 0 {
            error = error.with("largestKw", search::share_of(free.min_over(term), most));
        }
    }
    let others: Vec<String> = site
        .blocks
        .iter()
        .filter(|block| block.name != claim.block && carries(block, profile))
        .take(BLOCKS_MAX)
        .map(|block| block.name.to_string())
        .collect();
    if others.is_empty() { error } else { error.with("otherBlocks", others.join(",")) }
}

fn carries(block: &BlockView, profile: &Profile) -> bool {
    let free = block.free();
    profile.pieces().all(|(interval, kw)| free.covers_over(interval, kw))
}
