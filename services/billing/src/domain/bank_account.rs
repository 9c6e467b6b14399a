//! The numbers by which banks know accounts and each other: read once, and then right as far as a number can say it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Countries with IBANs and how many characters theirs have, from the IBAN registry of ISO 13616.
const IBANS: [&str; 89] = [
    "AD24", "AE23", "AL28", "AT20", "AZ28", "BA20", "BE16", "BG22", "BH22", "BI27", "BR29", "BY28", "CH21",
    "CR22", "CY28", "CZ24", "DE22", "DJ27", "DK18", "DO28", "EE20", "EG29", "ES24", "FI18", "FK18", "FO18",
    "FR27", "GB22", "GE22", "GI23", "GL18", "GR27", "GT28", "HN28", "HR21", "HU28", "IE22", "IL23", "IQ23",
    "IS26", "IT27", "JO30", "KW30", "KZ20", "LB28", "LC32", "LI21", "LT20", "LU20", "LV21", "LY25", "MC27",
    "MD24", "ME22", "MK19", "MN20", "MR27", "MT31", "MU30", "NI28", "NL18", "NO15", "OM23", "PK24", "PL28",
    "PS29", "PT25", "QA29", "RO24", "RS22", "RU33", "SA24", "SC31", "SD18", "SE24", "SI19", "SK24", "SM27",
    "SO23", "ST25", "SV28", "TL23", "TN24", "TR26", "UA29", "VA22", "VG24", "XK20", "YE30",
];

/// Why a number is none. The text is a sentence for the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadNumber {
    /// Not an IBAN's form.
    #[error(
        "must be an IBAN: a country's two letters, two check digits, then letters and digits, such as DE89370400440532013000"
    )]
    Iban,
    /// A country without IBANs.
    #[error("must begin with a country that has IBANs, which {0} has not; give account_number there")]
    IbanCountry(String),
    /// Not as long as its country's.
    #[error("must have {expected} characters, as every IBAN of {country}, and has {found}")]
    IbanLength {
        /// Which country.
        country: String,
        /// So many it has there.
        expected: usize,
        /// So many it has.
        found: usize,
    },
    /// The check digits do not fit.
    #[error("must fit its check digits (ISO 13616): a character is wrong or two have changed places")]
    IbanCheck,
    /// Not a BIC's form.
    #[error(
        "must be a BIC (ISO 9362): 4 letters or digits, a country's two letters, 2 or 5 letters or digits, such as COBADEFFXXX"
    )]
    Bic,
    /// Not a routing number's form.
    #[error(
        "must be a routing number (ABA): nine digits, the first two of a Federal Reserve district, such as 021000021"
    )]
    Routing,
    /// The last digit does not fit.
    #[error("must fit its last digit (ABA checksum): a digit is wrong or two have changed places")]
    RoutingCheck,
    /// Not an account's number.
    #[error("must be 1 to 34 letters and digits")]
    Account,
}

/// Defines numbers that are kept as text, in the one form that parsing gives them.
macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The number without spaces.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadNumber;

            fn try_from(text: String) -> Result<Self, BadNumber> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(number: $name) -> Self {
                number.0
            }
        }
    )+};
}

numbers! {
    /// An account's number where there are IBANs: of a known country, as long as its country's, and its check digits fit.
    Iban
    /// An account's number where there are no IBANs: each bank has its own form.
    AccountNumber
    /// A bank, by ISO 9362.
    Bic
    /// A bank of the United States, by the American Bankers Association: its last digit fits.
    RoutingNumber
}

/// The text in capitals without what people put between its characters; `None` if anything else is in it, or it is longer
/// than any number is.
fn bare(text: &str, between: &[char]) -> Option<String> {
    const CHARS_MAX: usize = 64;
    let bare: String = text.chars().take(CHARS_MAX).filter(|char| !between.contains(char)).collect();
    let fits = text.len() <= CHARS_MAX && bare.chars().all(|char| char.is_ascii_alphanumeric());
    fits.then(|| bare.to_ascii_uppercase())
}

impl FromStr for Iban {
    type Err = BadNumber;

    fn from_str(text: &str) -> Result<Self, BadNumber> {
        let iban = bare(text, &[' ']).filter(|iban| iban.len() >= 5).ok_or(BadNumber::Iban)?;
        let (head, account) = iban.split_at(4);
        let (country, check) = head.split_at(2);
        let letters = country.bytes().all(|byte| byte.is_ascii_uppercase());
        if !letters || !check.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(BadNumber::Iban);
        }
        let chars = IBANS.iter().find_map(|of| of.strip_prefix(country)?.parse().ok());
        let expected: usize = chars.ok_or_else(|| BadNumber::IbanCountry(country.to_owned()))?;
        if iban.len() != expected {
            return Err(BadNumber::IbanLength { country: country.to_owned(), expected, found: iban.len() });
        }
        // Letters count from 10; the country and its digits come last (ISO 7064, MOD 97-10).
        let rest = account.chars().chain(head.chars()).filter_map(|char| char.to_digit(36));
        let rest = rest.fold(0, |rest, value| {
            let shift = if value < 10 { 10 } else { 100 };
            (rest * shift + value) % 97
        });
        if rest == 1 { Ok(Self(iban)) } else { Err(BadNumber::IbanCheck) }
    }
}

impl Iban {
    /// In groups of four, as it is printed (ISO 13616).
    #[must_use]
    pub fn grouped(&self) -> String {
        let parted =
            |(at, char): (usize, char)| (at > 0 && at % 4 == 0).then_some(' ').into_iter().chain([char]);
        self.0.chars().enumerate().flat_map(parted).collect()
    }
}

impl FromStr for AccountNumber {
    type Err = BadNumber;

    fn from_str(text: &str) -> Result<Self, BadNumber> {
        let number = bare(text, &[' ', '-']).filter(|number| (1..=34).contains(&number.len()));
        number.map(Self).ok_or(BadNumber::Account)
    }
}

impl FromStr for Bic {
    type Err = BadNumber;

    fn from_str(text: &str) -> Result<Self, BadNumber> {
        let bic = bare(text, &[' ']).filter(|bic| matches!(bic.len(), 8 | 11)).ok_or(BadNumber::Bic)?;
        let country = bic.bytes().skip(4).take(2).all(|byte| byte.is_ascii_uppercase());
        if country { Ok(Self(bic)) } else { Err(BadNumber::Bic) }
    }
}

impl FromStr for RoutingNumber {
    type Err = BadNumber;

    fn from_str(text: &str) -> Result<Self, BadNumber> {
        let number = bare(text, &[' ', '-']).ok_or(BadNumber::Routing)?;
        let digits: Vec<u32> = number.chars().filter_map(|char| char.to_digit(10)).collect();
        let district = digits.iter().take(2).fold(0, |sum, digit| sum * 10 + digit);
        let known = matches!(district, 1..=12 | 21..=32 | 61..=72 | 80);
        if number.len() != 9 || digits.len() != 9 || !known {
            return Err(BadNumber::Routing);
        }
        let weighed: u32 =
            digits.iter().zip([3, 7, 1].iter().cycle()).map(|(digit, weight)| digit * weight).sum();
        if weighed.is_multiple_of(10) { Ok(Self(number)) } else { Err(BadNumber::RoutingCheck) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iban(text: &str) -> Result<String, BadNumber> {
        text.parse::<Iban>().map(String::from)
    }

    #[test]
    fn ibans_of_the_registry_are_read_in_any_form_and_printed_in_one() {
        for good in [
            "DE89 3704 0044 0532 0130 00",
            "GB29 NWBK 6016 1331 9268 19",
            "FR14 2004 1010 0505 0001 3M02 606",
            "NO93 8601 1117 947",
            "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
            "CH93 0076 2011 6238 5295 7",
            "LC55 HEMM 0001 0001 0012 0012 0002 3015",
            "RU03 0445 2522 5408 1781 0538 0913 1041 9",
        ] {
            let read: Iban = good.parse().unwrap_or_else(|error| panic!("{good}: {error}"));
            assert_eq!(read.grouped(), good);
            assert_eq!(iban(&good.replace(' ', "").to_lowercase()).as_deref(), Ok(read.as_str()));
        }
    }

    #[test]
    fn every_single_slip_in_an_iban_is_found() {
        let good = "DE89370400440532013000";
        for at in 4..good.len() {
            for digit in '0'..='9' {
                let mut slip: Vec<char> = good.chars().collect();
                if slip[at] == digit {
                    continue;
                }
                slip[at] = digit;
                assert_eq!(iban(&slip.iter().collect::<String>()), Err(BadNumber::IbanCheck));
            }
        }
        // Two that have changed places, too.
        assert_eq!(iban("DE89370400440532010300"), Err(BadNumber::IbanCheck));
    }

    #[test]
    fn what_is_no_iban_says_what_would_be_one() {
        assert_eq!(iban("").unwrap_err(), BadNumber::Iban);
        assert_eq!(iban("DEXX370400440532013000").unwrap_err(), BadNumber::Iban);
        assert_eq!(iban("DE89-3704-0044").unwrap_err(), BadNumber::Iban);
        assert_eq!(iban(&"DE".repeat(1_000)).unwrap_err(), BadNumber::Iban);
        assert_eq!(iban("US89370400440532013000").unwrap_err(), BadNumber::IbanCountry("US".to_owned()));
        let short = iban("DE8937040044053201300").unwrap_err().to_string();
        assert_eq!(short, "must have 22 characters, as every IBAN of DE, and has 21");
    }

    #[test]
    fn a_bic_names_a_bank_in_a_country_and_maybe_a_branch() {
        let bic = |text: &str| text.parse::<Bic>().map(String::from);
        assert_eq!(bic("cobadeff").as_deref(), Ok("COBADEFF"));
        assert_eq!(bic("COBADEFFXXX").as_deref(), Ok("COBADEFFXXX"));
        for bad in ["", "COBADEF", "COBADEFFX", "COBADEFFXX", "COBA1EFF", "COBADEFF-XX", "COBADEFFXXXX"] {
            assert_eq!(bic(bad), Err(BadNumber::Bic), "{bad}");
        }
    }

    #[test]
    fn a_routing_number_fits_its_last_digit_and_is_of_a_district() {
        let routing = |text: &str| text.parse::<RoutingNumber>().map(String::from);
        for good in ["021000021", "011401533", "121000248", "3222 7162 7", "091000019"] {
            assert!(routing(good).is_ok(), "{good}");
        }
        assert_eq!(routing("021000022"), Err(BadNumber::RoutingCheck));
        assert_eq!(routing("012000021"), Err(BadNumber::RoutingCheck));
        for bad in ["", "02100002", "0210000210", "02100002A", "000000000", "991000021"] {
            assert_eq!(routing(bad), Err(BadNumber::Routing), "{bad}");
        }
    }

    #[test]
    fn a_number_of_an_account_is_letters_and_digits() {
        let number = |text: &str| text.parse::<AccountNumber>().map(String::from);
        assert_eq!(number("0001-2345 678").as_deref(), Ok("00012345678"));
        assert!(number(&"9".repeat(34)).is_ok());
        for bad in ["", " ", "12/34", &"9".repeat(35)] {
            assert_eq!(number(bad), Err(BadNumber::Account), "{bad}");
        }
    }

    #[test]
    fn what_was_written_down_is_read_back_and_nothing_else() {
        let read: Iban = "DE89370400440532013000".parse().expect("an IBAN");
        let json = serde_json::to_string(&read).expect("JSON");
        assert_eq!(serde_json::from_str::<Iban>(&json).expect("an IBAN"), read);
        assert!(serde_json::from_str::<Iban>("\"DE00370400440532013000\"").is_err());
    }

    #[test]
    fn the_countries_are_in_order_and_each_is_there_once() {
        assert!(IBANS.windows(2).all(|pair| pair[0][..2] < pair[1][..2]));
    }
}
