//! The list of all RPCs, read from the descriptor set so that it cannot fall behind the `.proto` files.

use prost::Message as _;
use std::sync::OnceLock;

/// One RPC of our own services.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rpc {
    /// Full name of the service, such as `gridlease.leasing.v1.LeaseService`.
    pub service: String,
    /// Name of the method, such as `ProposeLease`.
    pub method: String,
    /// Full name of the request message, such as `gridlease.leasing.v1.ProposeLeaseRequest`.
    pub request: String,
    /// Full name of the response message.
    pub response: String,
    /// Whether the server answers with a stream.
    pub server_streaming: bool,
}

impl Rpc {
    /// The path on the wire: `/service/method`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/{}/{}", self.service, self.method)
    }
}

/// Every RPC of every `gridlease.*` service, in order of service and method.
///
/// # Panics
/// Never: the descriptor set is this crate's own and a test reads it.
#[must_use]
pub fn rpcs() -> &'static [Rpc] {
    static RPCS: OnceLock<Vec<Rpc>> = OnceLock::new();
    RPCS.get_or_init(|| {
        let set = prost_types::FileDescriptorSet::decode(crate::FILE_DESCRIPTOR_SET)
            .expect("the build script encoded this descriptor set");
        let mut all: Vec<Rpc> =
            set.file.iter().filter(|f| f.package().starts_with("gridlease.")).flat_map(of_file).collect();
        all.sort();
        all
    })
}

fn of_file(file: &prost_types::FileDescriptorProto) -> impl Iterator<Item = Rpc> + '_ {
    file.service.iter().flat_map(move |service| {
        service.method.iter().map(move |method| Rpc {
            service: format!("{}.{}", file.package(), service.name()),
            method: method.name().to_owned(),
            request: method.input_type().trim_start_matches('.').to_owned(),
            response: method.output_type().trim_start_matches('.').to_owned(),
            server_streaming: method.server_streaming(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::rpcs;

    #[test]
    fn every_rpc_has_its_own_request_and_response() {
        for rpc in rpcs() {
            assert!(rpc.request.ends_with(&format!(".{}Request", rpc.method)), "{rpc:?}");
            assert!(rpc.response.ends_with(&format!(".{}Response", rpc.method)), "{rpc:?}");
        }
        assert!(rpcs().iter().any(|rpc| rpc.path() == "/gridlease.leasing.v1.LeaseService/SignLease"));
    }

    #[test]
    fn only_watch_streams() {
        let streams: Vec<_> =
            rpcs().iter().filter(|rpc| rpc.server_streaming).map(|rpc| rpc.method.as_str()).collect();
        assert_eq!(streams, ["WatchEvents"; 3]);
    }
}
