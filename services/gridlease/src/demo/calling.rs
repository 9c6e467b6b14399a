//! How to call what is running: addresses, a token, a line for grpcurl and one for Python.

use std::net::SocketAddr;

use crate::clients::Addresses;

/// Where the services listen.
#[must_use]
pub fn addresses(at: Addresses) -> String {
    format!("inventory {}\nleasing   {}\nbilling   {}", at.inventory, at.leasing, at.billing)
}

/// The call that the examples make.
const SEARCH: &str = r#"{"critical_it_kw": 40000, "liquid_share_percent": 85, "start_from_date": {"year": 2027, "month": 1, "day": 1}, "term_months": 144, "grid_isos": ["ERCOT"]}"#;

/// A grpcurl line.
#[must_use]
pub fn grpcurl(inventory: SocketAddr) -> String {
    format!(
        "grpcurl -plaintext -H \"authorization: Bearer $TOKEN\" \\\n  -d '{SEARCH}' \\\n  \
         {inventory} gridlease.inventory.v1.CapacityService/SearchCapacity"
    )
}

/// The same in Python, with no generated code: the server describes itself.
#[must_use]
pub fn python(inventory: SocketAddr) -> String {
    format!(
        r#"python3 -m pip install -q grpcio grpcio-reflection && python3 - <<'PY'
import grpc, os
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
channel = grpc.insecure_channel("{inventory}")
pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
method = pool.FindServiceByName("gridlease.inventory.v1.CapacityService").FindMethodByName("SearchCapacity")
ask, answer = (message_factory.GetMessageClass(of) for of in (method.input_type, method.output_type))
call = channel.unary_unary("/gridlease.inventory.v1.CapacityService/SearchCapacity",
                           request_serializer=ask.SerializeToString, response_deserializer=answer.FromString)
need = json_format.Parse('{SEARCH}', ask())
print(call(need, metadata=[("authorization", "Bearer " + os.environ["TOKEN"])]))
PY"#
    )
}
