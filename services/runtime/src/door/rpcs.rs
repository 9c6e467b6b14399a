//! Which RPCs there are: read from the descriptor sets that reflection serves too.

use std::collections::HashMap;
use std::sync::LazyLock;

use prost::Message as _;
use prost_types::FileDescriptorSet;

use super::glimpse::{Marks, marks_of};

/// What the door knows of an RPC before any handler does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rpc {
    /// Health and reflection: no token, no policy row.
    pub(crate) public: bool,
    /// The answer is a stream: no deadline after its headers, its own bound on how many are open.
    pub(crate) streams: bool,
    /// The request is a stream: bounded message by message, counted and ended as streams are, and its deadline is the
    /// client's own.
    pub(crate) takes_stream: bool,
    /// Its number, from 0 on: where it is counted.
    pub(crate) number: usize,
    /// Where its request names what it is about.
    pub(crate) marks: Marks,
}

/// The RPC at a request's path (`/package.Service/Method`), with its name without the leading slash.
pub(crate) fn find(path: &str) -> Option<(&'static str, Rpc)> {
    let name = path.strip_prefix('/')?;
    RPCS.get_key_value(name).map(|(name, rpc)| (name.as_str(), *rpc))
}

/// The RPCs that are ours, as `gridlease.inventory.v1.SiteService/GetSite`; what `policy.csv` must list.
pub fn ours() -> impl Iterator<Item = &'static str> {
    RPCS.iter().filter(|(_, rpc)| !rpc.public).map(|(name, _)| name.as_str())
}

/// How many RPCs there are.
pub(crate) fn count() -> usize {
    RPCS.len()
}

static RPCS: LazyLock<HashMap<String, Rpc>> = LazyLock::new(|| {
    let mut rpcs = HashMap::new();
    add(&mut rpcs, contracts::FILE_DESCRIPTOR_SET, false);
    add(&mut rpcs, tonic_health::pb::FILE_DESCRIPTOR_SET, true);
    add(&mut rpcs, tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET, true);
    add(&mut rpcs, tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET, true);
    rpcs
});

fn add(rpcs: &mut HashMap<String, Rpc>, descriptors: &[u8], public: bool) {
    // A set that does not decode lists nothing, and an RPC that is not listed does not exist.
    let set = FileDescriptorSet::decode(descriptors).unwrap_or_default();
    let marks = marks_of(&set);
    for file in &set.file {
        for service in &file.service {
            for method in &service.method {
                let name = format!("{}.{}/{}", file.package(), service.name(), method.name());
                let takes_stream = method.client_streaming() && !public;
                let rpc = Rpc {
                    public,
                    streams: method.server_streaming(),
                    takes_stream,
                    number: rpcs.len(),
                    marks: marks.get(method.input_type()).copied().unwrap_or_default(),
                };
                rpcs.insert(name, rpc);
            }
        }
    }
}
