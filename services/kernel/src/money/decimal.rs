//! Decimal texts to scaled integers and back, without loss or silent rounding.

/// Why a text is not a decimal of the wanted kind. The text is a sentence for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Not a decimal number.
    #[error("must be a decimal number such as 125 or 128.0156677674, without an exponent")]
    Malformed,
    /// More decimals than are kept.
    #[error("has more decimals than are kept")]
    TooFine,
    /// Beyond the range.
    #[error("is out of range")]
    OutOfRange,
}

const TEXT_BYTES_MAX: usize = 64;

/// Reads `-12.34` as `-12.34 * 10^decimals`. Zeros at the end do not count as decimals.
pub(super) fn parse_scaled(text: &str, decimals: u8) -> Result<i128, DecimalError> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if text.len() > TEXT_BYTES_MAX
        || !digits(whole)
        || !digits(fraction)
        || (whole.is_empty() && fraction.is_empty())
    {
        return Err(DecimalError::Malformed);
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > usize::from(decimals) {
        return Err(DecimalError::TooFine);
    }
    let zeros = usize::from(decimals) - fraction.len();
    let mut scaled: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()).chain(std::iter::repeat_n(b'0', zeros)) {
        scaled = scaled
            .checked_mul(10)
            .and_then(|s| s.checked_add(i128::from(digit - b'0')))
            .ok_or(DecimalError::OutOfRange)?;
    }
    Ok(if text.starts_with('-') { -scaled } else { scaled })
}

/// Writes the normal form: no more decimals than needed, no `-0`, no `+`.
pub(super) fn format_scaled(scaled: i128, decimals: u8) -> String {
    let one = 10_u128.pow(u32::from(decimals));
    let sign = if scaled < 0 { "-" } else { "" };
    let (whole, part) = (scaled.unsigned_abs() / one, scaled.unsigned_abs() % one);
    if part == 0 {
        return format!("{sign}{whole}");
    }
    let fraction = format!("{part:0width$}", width = usize::from(decimals));
    format!("{sign}{whole}.{}", fraction.trim_end_matches('0'))
}
