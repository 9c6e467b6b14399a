//! What the descriptor set says of request messages, and how to bend an encoded message without its type.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use contracts::{FILE_DESCRIPTOR_SET, Rpc, rpcs};
use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FileDescriptorProto, FileDescriptorSet};

/// A field of a message.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name in the proto file.
    pub name: String,
    /// Its number.
    pub number: u32,
    /// Its type.
    pub kind: Type,
    /// Full name of its message or enum type.
    pub type_name: String,
    /// Whether it is a list.
    pub repeated: bool,
    /// Whether only the server says it: what a caller says there is ignored.
    pub output_only: bool,
}

/// Full name of an RPC, as the policy says it: `package.Service/Method`.
#[must_use]
pub fn full_name(rpc: &Rpc) -> String {
    format!("{}/{}", rpc.service, rpc.method)
}

/// The RPC of this full name.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn rpc(full_name: &str) -> &'static Rpc {
    rpcs().iter().find(|rpc| self::full_name(rpc) == full_name).expect("a test names an RPC that exists")
}

/// The fields of a message, in order of number.
#[must_use]
pub fn fields(message: &str) -> &'static [Field] {
    static MESSAGES: OnceLock<BTreeMap<String, Vec<Field>>> = OnceLock::new();
    MESSAGES.get_or_init(messages).get(message).map(Vec::as_slice).unwrap_or_default()
}

/// The field of this name.
#[must_use]
pub fn field(message: &str, name: &str) -> Option<&'static Field> {
    fields(message).iter().find(|field| field.name == name)
}

fn messages() -> BTreeMap<String, Vec<Field>> {
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).expect("our own descriptor set");
    let mut all = BTreeMap::new();
    for file in &set.file {
        for (index, message) in file.message_type.iter().enumerate() {
            let fields = fields_of(message, &output_only(file, index));
            all.insert(format!("{}.{}", file.package(), message.name()), fields);
        }
    }
    all
}

/// The places of a message's fields whose comment begins with "Output only".
fn output_only(file: &FileDescriptorProto, message: usize) -> BTreeSet<usize> {
    let locations = file.source_code_info.iter().flat_map(|info| &info.location);
    locations
        .filter(|location| location.leading_comments().trim_start().starts_with("Output only"))
        .filter_map(|location| match location.path[..] {
            // 4 is `message_type` of a file, 2 is `field` of a message.
            [4, of, 2, field] if usize::try_from(of) == Ok(message) => usize::try_from(field).ok(),
            _ => None,
        })
        .collect()
}

fn fields_of(message: &DescriptorProto, output_only: &BTreeSet<usize>) -> Vec<Field> {
    let mut fields: Vec<Field> = message
        .field
        .iter()
        .enumerate()
        .map(|(index, field)| Field {
            name: field.name().to_owned(),
            number: u32::try_from(field.number()).expect("numbers are positive"),
            kind: field.r#type(),
            type_name: field.type_name().trim_start_matches('.').to_owned(),
            repeated: field.label() == Label::Repeated,
            output_only: output_only.contains(&index),
        })
        .collect();
    fields.sort_by_key(|field| field.number);
    fields
}

/// The message with one text field said again: the last one counts. `path` leads through messages within messages.
#[must_use]
pub fn with_text(mut message: Vec<u8>, path: &[u32], text: &str) -> Vec<u8> {
    let [outer @ .., number] = path else { return message };
    message.extend(wrapped(outer, crate::raw::text_field(*number, text)));
    message
}

/// The message with one number, flag or enum said again.
#[must_use]
pub fn with_number(mut message: Vec<u8>, path: &[u32], value: i64) -> Vec<u8> {
    let [outer @ .., number] = path else { return message };
    let mut bytes = Vec::new();
    prost::encoding::int64::encode(*number, &value, &mut bytes);
    message.extend(wrapped(outer, bytes));
    message
}

/// A field within messages within messages.
#[must_use]
pub fn wrapped(outer: &[u32], inner: Vec<u8>) -> Vec<u8> {
    outer.iter().rev().fold(inner, |inner, number| {
        let mut bytes = Vec::new();
        prost::encoding::bytes::encode(*number, &inner, &mut bytes);
        bytes
    })
}
