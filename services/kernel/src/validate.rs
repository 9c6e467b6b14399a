//! Collecting everything that is wrong with a message before refusing it once.

use std::fmt::{self, Write as _};

use crate::error::{Error, Violation};

/// The most violations one refusal lists; a message with more is broken anyway.
const VIOLATIONS_MAX: usize = 50;
/// The most words of one kind that a request looks for.
const WORDS_MAX: usize = 50;

/// What is wrong with a message so far. Each check goes on with the next, so that the caller learns all at once.
///
/// ```
/// use kernel::{Error, SiteId, Violations};
///
/// fn decode(site_id: &str, kw: i64) -> Result<(SiteId, i64), Error> {
///     let mut v = Violations::new();
///     let site = v.parse("site_id", site_id, str::parse::<SiteId>);
///     v.require("critical_it_kw", kw > 0, "must be positive");
///     v.build(|| Some((site?, kw)))
/// }
///
/// assert_eq!(decode("River Bend", 0).unwrap_err().violations().len(), 2);
/// assert!(decode("river-bend", 245_000).is_ok());
/// ```
#[derive(Debug, Default)]
pub struct Violations {
    prefix: String,
    found: Vec<Violation>,
}

impl Violations {
    /// Nothing is wrong yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a violation of `field`, whose path is taken below the present prefix.
    pub fn add(&mut self, field: &str, description: impl Into<String>) {
        if self.found.len() < VIOLATIONS_MAX {
            self.found.push(Violation { field: self.path(field), description: description.into() });
        }
    }

    /// Notes a violation unless `holds`; gives `holds` back.
    pub fn require(&mut self, field: &str, holds: bool, description: &str) -> bool {
        if !holds {
            self.add(field, description);
        }
        holds
    }

    /// Reads a text that must be there and must parse.
    pub fn parse<T, E: fmt::Display>(
        &mut self,
        field: &str,
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        if text.is_empty() {
            self.add(field, "is required");
            return None;
        }
        self.take(field, parse(text))
    }

    /// Reads a text that may be empty, which means absent.
    pub fn parse_optional<T, E: fmt::Display>(
        &mut self,
        field: &str,
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        if text.is_empty() { None } else { self.take(field, parse(text)) }
    }

    /// The value, or its error as a violation.
    pub fn take<T, E: fmt::Display>(&mut self, field: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(field, error.to_string())).ok()
    }

    /// The value, or a violation if it is absent.
    pub fn present<T>(&mut self, field: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.add(field, "is required");
        }
        value
    }

    /// A text of at most `chars_max` characters without control characters. Empty is allowed; trimming is not done.
    pub fn text(&mut self, field: &str, text: &str, chars_max: usize) -> Option<String> {
        if text.chars().count() > chars_max {
            self.add(field, format!("must have at most {chars_max} characters"));
            return None;
        }
        if text.chars().any(char::is_control) {
            self.add(field, "must not hold control characters");
            return None;
        }
        Some(text.to_owned())
    }

    /// Runs checks whose fields lie below `path`, such as `terms` or `premises[2]`.
    pub fn nested<T>(&mut self, path: &str, checks: impl FnOnce(&mut Self) -> T) -> T {
        self.below(format_args!("{path}"), checks)
    }

    /// Runs checks for each element of a list, whose fields lie below `list[i]`; gives what each made.
    pub fn each<I: IntoIterator, T>(
        &mut self,
        list: &str,
        items: I,
        mut checks: impl FnMut(&mut Self, I::Item) -> Option<T>,
    ) -> Option<Vec<T>> {
        let made: Vec<Option<T>> = items
            .into_iter()
            .enumerate()
            .map(|(i, item)| self.below(format_args!("{list}[{i}]"), |v| checks(v, item)))
            .collect();
        made.into_iter().collect()
    }

    /// As [`Violations::each`], of a list in which each thing is named once, such as states: there are never many. More
    /// are a violation of the list, and none of them is read.
    pub fn each_word<W, T>(
        &mut self,
        list: &str,
        words: &[W],
        checks: impl FnMut(&mut Self, &W) -> Option<T>,
    ) -> Option<Vec<T>> {
        if words.len() > WORDS_MAX {
            self.add(list, format!("must have at most {WORDS_MAX} entries"));
            return None;
        }
        self.each(list, words, checks)
    }

    fn below<T>(&mut self, path: fmt::Arguments<'_>, checks: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.prefix.len();
        if outer > 0 {
            self.prefix.push('.');
        }
        // Writing to a text never fails.
        let _ = self.prefix.write_fmt(path);
        let result = checks(self);
        self.prefix.truncate(outer);
        result
    }

    fn path(&self, field: &str) -> String {
        match (self.prefix.is_empty(), field.is_empty()) {
            (true, _) => field.to_owned(),
            (false, true) => self.prefix.clone(),
            (false, false) => format!("{}.{field}", self.prefix),
        }
    }

    /// Whether nothing is wrong so far.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Refuses if anything is wrong.
    pub fn finish(self) -> Result<(), Error> {
        if self.found.is_empty() { Ok(()) } else { Err(Error::invalid(self.found)) }
    }

    /// Refuses if anything is wrong, else puts the parts together. `make` answers `None` only when a part is missing,
    /// and a missing part has left a violation; if it has not, that is a fault of ours.
    pub fn build<T>(self, make: impl FnOnce() -> Option<T>) -> Result<T, Error> {
        self.finish()?;
        make().ok_or_else(|| Error::internal("a part is missing and no violation says so"))
    }
}
