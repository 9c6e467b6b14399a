//! What a denied request asked for: the resource and the request id, read from its first bytes without a handler. Which
//! fields hold them is in the descriptors.

use std::collections::HashMap;

use kernel::Uuid;
use postgres::audit::fields;
use prost::bytes::Bytes;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FileDescriptorSet};

/// gRPC's prefix of a message: a flag and a length.
const PREFIX_BYTES: usize = 5;

/// Where a request names what it is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// `name`, else `parent`, else the `name` in the resource that is sent: fields from the outside in.
    target: (Option<u32>, Option<u32>),
    request_id: Option<u32>,
}

/// The marks of every message of a set, by its full name with a leading dot.
pub(super) fn marks_of(set: &FileDescriptorSet) -> HashMap<String, Marks> {
    let messages: HashMap<String, &DescriptorProto> = set
        .file
        .iter()
        .flat_map(|file| {
            file.message_type.iter().map(move |m| (format!(".{}.{}", file.package(), m.name()), m))
        })
        .collect();
    messages.iter().map(|(name, message)| (name.clone(), marks(message, &messages))).collect()
}

fn number_of(message: &DescriptorProto, field: &str) -> Option<u32> {
    let found = message.field.iter().find(|f| f.name() == field && f.r#type() == Type::String)?;
    u32::try_from(found.number()).ok()
}

fn marks(message: &DescriptorProto, messages: &HashMap<String, &DescriptorProto>) -> Marks {
    let direct = number_of(message, "name").or_else(|| number_of(message, "parent"));
    let nested = || {
        message.field.iter().find_map(|field| {
            let single = field.r#type() == Type::Message && field.label() != Label::Repeated;
            let inner = single.then(|| messages.get(field.type_name())).flatten()?;
            Some((u32::try_from(field.number()).ok(), Some(number_of(inner, "name")?)))
        })
    };
    let target = match direct {
        Some(number) => (Some(number), None),
        None => nested().unwrap_or_default(),
    };
    Marks { target, request_id: number_of(message, "request_id") }
}

impl Marks {
    /// What the first bytes of a request tell: the resource's name, and the request's id.
    pub(crate) fn read(self, frame: &Bytes) -> (Option<String>, Option<Uuid>) {
        // A compressed message is not looked into.
        let Some(([0, ..], message)) = frame.split_at_checked(PREFIX_BYTES) else { return (None, None) };
        let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(ToOwned::to_owned);
        let target = match self.target {
            (Some(outer), None) => find(message, outer).and_then(text),
            (Some(outer), Some(inner)) => {
                find(message, outer).and_then(|message| find(message, inner)).and_then(text)
            }
            (None, _) => None,
        };
        let request_id = self.request_id.and_then(|number| find(message, number)).and_then(text);
        (target, request_id.and_then(|id| id.parse().ok()))
    }
}

/// The bytes of a field that has a length; the last one, as protobuf has it.
fn find(message: &[u8], number: u32) -> Option<&[u8]> {
    fields(message).filter(|(found, _)| *found == u64::from(number)).last().map(|(_, bytes)| bytes)
}

#[cfg(test)]
mod tests {
    use contracts::inventory::v1 as inventory;
    use contracts::leasing::v1 as leasing;
    use prost::Message as _;

    use super::*;

    fn frame(message: &[u8]) -> Bytes {
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        [&[0][..], &length, message].concat().into()
    }

    fn of(rpc: &str) -> Marks {
        super::super::rpcs::find(rpc).unwrap().1.marks
    }

    #[test]
    fn a_request_tells_what_it_is_about() {
        let id = Uuid::from_u128(7);
        let hold = inventory::PlaceHoldRequest {
            parent: "operators/north".to_owned(),
            request_id: id.to_string(),
            ..Default::default()
        };
        let marks = of("/gridlease.inventory.v1.ReservationService/PlaceHold");
        let read = marks.read(&frame(&hold.encode_to_vec()));
        assert_eq!(read, (Some("operators/north".to_owned()), Some(id)));
        let name = "operators/north/opportunities/x".to_owned();
        let update = leasing::UpdateOpportunityRequest {
            opportunity: Some(leasing::Opportunity { name: name.clone(), ..Default::default() }),
            ..Default::default()
        };
        let marks = of("/gridlease.leasing.v1.PipelineService/UpdateOpportunity");
        assert_eq!(marks.read(&frame(&update.encode_to_vec())), (Some(name), None));
    }

    #[test]
    fn bytes_that_are_no_message_tell_nothing() {
        let marks = of("/gridlease.inventory.v1.ReservationService/PlaceHold");
        for bytes in [
            &b""[..],
            b"\0\0\0\0",
            b"\x01\0\0\0\x02\x0a\0",
            b"\0\0\0\0\x09\x0a\xff\xff\xff\xff\xff\xff\xff\xff",
        ] {
            assert_eq!(marks.read(&Bytes::copy_from_slice(bytes)), (None, None), "{bytes:?}");
        }
    }
}
