//! Where values come from: the file, the environment over it, and the errors found on the way.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use super::{Setting, Value};

/// Everything that is wrong with a configuration, in one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    service: String,
    problems: Vec<String>,
}

impl ConfigError {
    /// The single problems, in the order they were found.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}

impl ConfigError {
    /// Stands for a missing value whose reason was already noted.
    pub(super) fn incomplete(service: &str) -> Self {
        Self { service: service.to_owned(), problems: vec!["it is incomplete".to_owned()] }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the configuration of {} has {} problem(s):", self.service, self.problems.len())?;
        for problem in &self.problems {
            writeln!(f, "  - {problem}")?;
        }
        write!(f, "run `{} --settings` for the table of settings", self.service)
    }
}

impl std::error::Error for ConfigError {}

/// A value as given, and where: the place is named in messages, the value is not (it may be a secret).
struct Given {
    text: String,
    origin: String,
}

/// The given values of one service, read one setting at a time.
pub struct Source {
    service: String,
    given: BTreeMap<String, Given>,
    /// What was read, as text: for rules between settings, also where another setting is wrong.
    read: BTreeMap<String, String>,
    problems: Vec<String>,
}

impl Source {
    /// Gathers values: first the file, then the variables `GRIDLEASE_<SERVICE>__...`, which win.
    pub fn new(
        service: &str,
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let mut source = Self {
            service: service.to_owned(),
            given: BTreeMap::new(),
            read: BTreeMap::new(),
            problems: Vec::new(),
        };
        if let Some(path) = file {
            source.add_file(path);
        }
        let prefix = format!("GRIDLEASE_{}__", service.to_ascii_uppercase());
        for (variable, text) in environment {
            if let Some(rest) = variable.strip_prefix(&prefix) {
                let key = rest.to_ascii_lowercase().replace("__", ".");
                source.given.insert(key, Given { text, origin: variable });
            }
        }
        source
    }

    fn add_file(&mut self, path: &Path) {
        let shown = path.display();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                self.problems.push(format!("{shown} cannot be read ({})", error.kind()));
                return;
            }
        };
        let table = config::Config::builder()
            .add_source(config::File::from_str(&text, config::FileFormat::Toml))
            .build()
            .and_then(config::Config::try_deserialize::<BTreeMap<String, config::Value>>);
        match table {
            Ok(table) => {
                for (key, value) in table {
                    self.add_value(&key, value, &shown.to_string());
                }
            }
            Err(error) => {
                // Only the first line: the parser's picture of the file may hold values.
                let error = error.to_string();
                let first = error.lines().next().unwrap_or_default();
                self.problems.push(format!("{shown} is not TOML ({first})"));
            }
        }
    }

    fn add_value(&mut self, key: &str, value: config::Value, file: &str) {
        match value.kind {
            config::ValueKind::Table(table) => {
                let sorted: BTreeMap<_, _> = table.into_iter().collect();
                for (inner, value) in sorted {
                    self.add_value(&format!("{key}.{inner}"), value, file);
                }
            }
            config::ValueKind::Nil | config::ValueKind::Array(_) => {
                self.problems.push(format!("{key} ({file}) must be a text, a number, true or false"));
            }
            scalar => {
                let origin = format!("{key} in {file}");
                self.given.insert(key.to_owned(), Given { text: scalar.to_string(), origin });
            }
        }
    }

    /// Reads one setting; an error is noted and `None` comes back.
    pub fn value<T: Value>(&mut self, setting: &Setting) -> Option<T> {
        let key = setting.key();
        let (text, origin) = match self.given.remove(&key) {
            Some(given) => (given.text, given.origin),
            None if !setting.default.is_empty() => (setting.default.to_owned(), "the default".to_owned()),
            None => {
                let absent = T::absent();
                if absent.is_none() {
                    self.problems.push(format!(
                        "{key} is required: set it in the file or as {} ({})",
                        self.variable(setting),
                        setting.unit
                    ));
                }
                return absent;
            }
        };
        match T::parse(&text) {
            Ok(value) => {
                self.read.insert(key, text);
                Some(value)
            }
            Err(must) => {
                self.problems.push(format!("{key} must be {must}; see {origin}"));
                None
            }
        }
    }

    /// The text of a setting that was read without error.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.read.get(key).map(String::as_str)
    }

    /// Notes a problem that is between settings.
    pub fn problem(&mut self, problem: impl Into<String>) {
        self.problems.push(problem.into());
    }

    /// Ends reading: what is still there, nobody asked for.
    ///
    /// # Errors
    /// Every problem found, with the unknown keys.
    pub fn finish(mut self) -> Result<(), ConfigError> {
        for (key, given) in &self.given {
            self.problems.push(format!("{key} is not a setting; see {}", given.origin));
        }
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(ConfigError { service: self.service, problems: self.problems })
        }
    }

    fn variable(&self, setting: &Setting) -> String {
        format!("GRIDLEASE_{}__{}", self.service.to_ascii_uppercase(), setting.variable)
    }
}
