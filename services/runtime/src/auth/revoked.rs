//! Tokens that are over before their time: judged at every use, so that no memory of a token outlives its revocation.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use kernel::{Caller, Organisation};
use tokio::sync::watch;

/// What was revoked, by organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Revocations(HashMap<Organisation, Ended>);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Ended {
    tokens: HashSet<String>,
    /// Subject, and the second (Unix) up to which what it was given is over.
    subjects: HashMap<String, i64>,
}

impl Revocations {
    /// Ends one token.
    pub fn token(&mut self, organisation: Organisation, token_id: String) {
        self.0.entry(organisation).or_default().tokens.insert(token_id);
    }

    /// Ends what this subject was given up to this second (Unix).
    pub fn subject(&mut self, organisation: Organisation, subject: String, issued_until_s: i64) {
        let until = self.0.entry(organisation).or_default().subjects.entry(subject).or_insert(issued_until_s);
        *until = issued_until_s.max(*until);
    }

    /// Whether the token that this caller was issued at this second (Unix) is over.
    fn cover(&self, caller: &Caller, issued_at_s: i64) -> bool {
        // Mostly there are none, and every call asks.
        if self.0.is_empty() {
            return false;
        }
        self.0.get(&caller.organisation).is_some_and(|ended| {
            ended.tokens.contains(&caller.token_id)
                || ended.subjects.get(&caller.subject).is_some_and(|until_s| issued_at_s <= *until_s)
        })
    }
}

/// The revocations that this server knows of.
pub(super) struct Revoked(watch::Sender<Arc<Revocations>>);

impl Default for Revoked {
    fn default() -> Self {
        Self(watch::Sender::new(Arc::default()))
    }
}

impl Revoked {
    /// What is known from now on.
    pub(super) fn replace(&self, revocations: Revocations) {
        self.0.send_if_modified(|known| {
            let news = **known != revocations;
            if news {
                tracing::info!("the list of revoked tokens has changed");
                *known = Arc::new(revocations);
            }
            news
        });
    }

    /// Whether the token that this caller was issued at this second (Unix) is over.
    pub(super) fn cover(&self, caller: &Caller, issued_at_s: i64) -> bool {
        self.0.borrow().cover(caller, issued_at_s)
    }

    /// Ends when that token is revoked.
    pub(super) async fn wait_for(&self, caller: &Caller, issued_at_s: i64) {
        // The sender is ours, so there is always a next value to wait for.
        let _ = self.0.subscribe().wait_for(|known| known.cover(caller, issued_at_s)).await;
    }
}
