//! Documents to the wire.

use contracts::common::v1 as common;
use kernel::Violations;
use paper::Format;
use runtime::wire::known;

/// Reads what to print a document as.
pub(super) fn format(v: &mut Violations, number: i32) -> Option<Format> {
    match known::<common::DocumentFormat>(v, "format", number)? {
        common::DocumentFormat::Unspecified => None,
        common::DocumentFormat::Html => Some(Format::Html),
        common::DocumentFormat::Pdf => Some(Format::Pdf),
    }
}

/// A printed document; `stem` is its file's name without the end.
pub(super) fn document(stem: &str, format: Format, content: Vec<u8>) -> common::Document {
    let told = match format {
        Format::Html => common::DocumentFormat::Html,
        Format::Pdf => common::DocumentFormat::Pdf,
    };
    common::Document {
        format: told.into(),
        media_type: format.media_type().to_owned(),
        file_name: format!("{stem}.{}", format.extension()),
        content,
    }
}
