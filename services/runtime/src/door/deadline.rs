//! Deadlines: what the client asked for, bounded by what the server allows, known to everything below.

use std::time::Duration;

use http::HeaderMap;
use kernel::Error;
use tokio::time::Instant;

tokio::task_local! {
    /// The deadline of the call that the present task works for.
    static DEADLINE: Instant;
}

/// Room for the answer on its way, taken from what a peer may use.
const MARGIN: Duration = Duration::from_millis(50);

/// The time left for a call to a peer made for the present call: its deadline less a margin. `None` = no deadline
/// (background work).
pub(crate) fn left_for_peer() -> Option<Duration> {
    DEADLINE
        .try_with(|deadline| deadline.saturating_duration_since(Instant::now()).saturating_sub(MARGIN))
        .ok()
}

/// Runs `work` so that everything it calls knows the deadline.
pub(super) async fn with<F: Future>(deadline: Instant, work: F) -> F::Output {
    DEADLINE.scope(deadline, work).await
}

/// The time a request may take: its `grpc-timeout`, at most `longest`.
///
/// Ours ends a little before the client's: tonic watches the header too and would answer CANCELLED.
pub(super) fn of(headers: &HeaderMap, longest: Duration) -> Result<Duration, Error> {
    let mut values = headers.get_all("grpc-timeout").iter();
    let Some(value) = values.next() else { return Ok(longest) };
    let timeout = value.to_str().ok().and_then(parse).filter(|_| values.next().is_none());
    let timeout = timeout.ok_or_else(|| {
        Error::invalid_field("grpc-timeout", "must be 1 to 8 digits and a unit of H, M, S, m, u or n")
    })?;
    let early = (timeout / 10).clamp(Duration::from_millis(2), MARGIN);
    Ok(timeout.saturating_sub(early).min(longest))
}

fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let plain = !digits.is_empty() && digits.len() <= 8 && digits.bytes().all(|b| b.is_ascii_digit());
    let number: u64 = if plain { digits.parse().ok()? } else { return None };
    // 8 digits of hours are far below u64's seconds.
    match unit {
        "H" => Some(Duration::from_secs(number * 3_600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_text(text: &str) -> Result<Duration, Error> {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-timeout", text.parse().unwrap());
        of(&headers, Duration::from_secs(10))
    }

    #[test]
    fn a_timeout_is_capped_and_ends_before_the_clients() {
        assert_eq!(of(&HeaderMap::new(), Duration::from_secs(10)).unwrap(), Duration::from_secs(10));
        assert_eq!(of_text("99999999H").unwrap(), Duration::from_secs(10));
        assert_eq!(of_text("1S").unwrap(), Duration::from_millis(950));
        assert_eq!(of_text("100m").unwrap(), Duration::from_millis(90));
        assert_eq!(of_text("1n").unwrap(), Duration::ZERO);
    }

    #[test]
    fn a_malformed_timeout_is_refused() {
        for text in ["", "S", "-1S", "abc", "1X", "1", "1.5S", "123456789S", " 1S", "+1S"] {
            let error = of_text(text).unwrap_err();
            assert_eq!(error.reason(), kernel::Reason::InvalidField, "{text:?}");
        }
    }
}
