#![doc = include_str!("../README.md")]

mod generated;
mod rpcs;

pub use generated::google;
pub use generated::gridlease::{billing, common, inventory, leasing};
pub use rpcs::{Rpc, rpcs};

/// The encoded `FileDescriptorSet` of all our packages, their imports and `google.rpc`.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.bin"));
