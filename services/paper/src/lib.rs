#![doc = include_str!("../README.md")]

mod document;
mod html;
mod party;
mod pdf;
#[cfg(test)]
mod sample;
pub mod wire;
pub mod words;

pub use document::{Column, Document, Fact, Part, ROWS_MAX, Row, Section, Table};
pub use party::{Entity, Party};

/// What a document is printed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One file that needs no other, for a screen and for a printer.
    Html,
    /// PDF/A-2u: its fonts inside, its text can be searched and copied, made to be kept.
    Pdf,
}

impl Format {
    /// What mail and browsers call it.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Pdf => "application/pdf",
        }
    }

    /// The end of a file's name.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Pdf => "pdf",
        }
    }
}

/// Why a document could not be printed. Never the fault of what is written in it.
#[derive(Debug, thiserror::Error)]
pub enum PaperError {
    /// A font inside the program does not read.
    #[error("a font of the program does not read")]
    Font,
    /// The document cannot be written down.
    #[error("the document cannot be hashed: {0}")]
    Hash(#[from] serde_json::Error),
    /// The PDF was refused by its own rules.
    #[error("the PDF was refused: {0}")]
    Pdf(String),
}

/// Prints a document: the same document gives the same bytes, wherever and whenever.
///
/// # Errors
/// [`PaperError`].
pub fn print(document: &Document, format: Format) -> Result<Vec<u8>, PaperError> {
    match format {
        Format::Html => Ok(html::html(document)?.into_bytes()),
        Format::Pdf => pdf::pdf(document),
    }
}
