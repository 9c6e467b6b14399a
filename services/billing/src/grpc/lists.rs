//! What all lists ask alike.

use std::fmt::Display;

use kernel::{OperatorParent, Violations};
use runtime::wire::page_size;

use crate::app::ListRequest;

/// Reads parent and page. `filters` are the request's filter fields in their normal form: a token is good for the same
/// parent and filters only.
pub(super) fn list_request(
    v: &mut Violations,
    parent: Option<OperatorParent>,
    (size, token): (i32, &str),
    filters: &[&dyn Display],
) -> Option<ListRequest> {
    let page_size = page_size(v, size);
    let parent = parent?;
    let mut fingerprint = parent.to_string();
    for filter in filters {
        // Separated by what no filter contains.
        fingerprint.push('\n');
        fingerprint.push_str(&filter.to_string());
    }
    Some(ListRequest { parent, page_size: page_size?, page_token: token.to_owned(), fingerprint })
}

/// An absent filter is the empty text.
pub(super) struct Maybe<T>(pub(super) Option<T>);

impl<T: Display> Display for Maybe<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.as_ref().map_or(Ok(()), |value| value.fmt(f))
    }
}
