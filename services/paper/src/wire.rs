//! Documents and what stands on them, to and from the wire.

use contracts::common::v1 as common;
use contracts::inventory::v1::BillingEntity;

use crate::{Entity, Format};

impl Format {
    /// What is asked for; `None` if nothing is.
    #[must_use]
    pub fn of_wire(asked: common::DocumentFormat) -> Option<Self> {
        match asked {
            common::DocumentFormat::Unspecified => None,
            common::DocumentFormat::Html => Some(Self::Html),
            common::DocumentFormat::Pdf => Some(Self::Pdf),
        }
    }

    const fn to_wire(self) -> common::DocumentFormat {
        match self {
            Self::Html => common::DocumentFormat::Html,
            Self::Pdf => common::DocumentFormat::Pdf,
        }
    }
}

/// A printed document to send; `stem` is its file's name without the end.
#[must_use]
pub fn document(stem: &str, format: Format, content: Vec<u8>) -> common::Document {
    common::Document {
        format: format.to_wire().into(),
        media_type: format.media_type().to_owned(),
        file_name: format!("{stem}.{}", format.extension()),
        content,
    }
}

impl From<BillingEntity> for Entity {
    fn from(entity: BillingEntity) -> Self {
        let BillingEntity { legal_name, tax_number, address, country_code, .. } = entity;
        Self { legal_name, tax_number, address, country_code }
    }
}
