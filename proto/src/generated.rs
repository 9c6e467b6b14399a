//! What the build script generated, nested as the packages are: generated code refers to its neighbours by `super`.

#![expect(
    clippy::allow_attributes_without_reason,
    clippy::too_many_lines,
    reason = "generated: the generator gives no reasons and writes one long function a service"
)]
#![expect(unreachable_pub, reason = "the parts that callers need are re-exported by lib.rs")]

/// Our own packages.
pub mod gridlease {
    /// What every package shares.
    pub mod common {
        /// Version 1.
        pub mod v1 {
            tonic::include_proto!("gridlease.common.v1");
        }
    }

    /// What capacity exists and who has set it aside.
    pub mod inventory {
        /// Version 1.
        pub mod v1 {
            tonic::include_proto!("gridlease.inventory.v1");
        }
    }

    /// Who has agreed to what.
    pub mod leasing {
        /// Version 1.
        pub mod v1 {
            tonic::include_proto!("gridlease.leasing.v1");
        }
    }

    /// What is owed and why.
    pub mod billing {
        /// Version 1.
        pub mod v1 {
            tonic::include_proto!("gridlease.billing.v1");
        }
    }
}

/// Google's common types.
pub mod google {
    /// Dates, decimals and money that our messages use.
    pub mod r#type {
        tonic::include_proto!("google.r#type");
    }
}
