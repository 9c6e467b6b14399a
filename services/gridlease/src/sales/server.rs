//! Whom to ask, and as whom.

use std::path::PathBuf;

use clap::Args;
use contracts::inventory::v1::capacity_service_client::CapacityServiceClient;
use contracts::inventory::v1::reservation_service_client::ReservationServiceClient;
use contracts::inventory::v1::site_service_client::SiteServiceClient;
use contracts::leasing::v1::agreement_service_client::AgreementServiceClient;
use contracts::leasing::v1::lease_service_client::LeaseServiceClient;
use contracts::leasing::v1::offer_service_client::OfferServiceClient;
use contracts::leasing::v1::pipeline_service_client::PipelineServiceClient;
use contracts::leasing::v1::right_service_client::RightServiceClient;
use kernel::{OperatorId, Organisation, Role};
use runtime::client::{Bearer, channel};
use tonic::service::interceptor::InterceptedService;

use crate::asking::minted;
use crate::clients::Wire;

/// Whom to ask, and as whom.
#[derive(Clone, Debug, Args)]
pub struct Server {
    /// Where inventory listens
    #[arg(long, env = "GRIDLEASE_INVENTORY", default_value = "http://127.0.0.1:50051", value_name = "URI")]
    pub inventory: String,
    /// Where leasing listens
    #[arg(long, env = "GRIDLEASE_LEASING", default_value = "http://127.0.0.1:50052", value_name = "URI")]
    pub leasing: String,
    /// The operator
    #[arg(long, value_name = "SLUG")]
    pub operator: OperatorId,
    /// A token [default: one of the local development issuer]
    #[arg(long, env = "GRIDLEASE_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub token: Option<String>,
    /// The data directory of the `up` whose issuer mints the token [default: the user's data directory]
    #[arg(long, env = "GRIDLEASE_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Rows as JSON instead of a table
    #[arg(long)]
    pub json: bool,
}

/// The services, as one caller.
pub(super) struct Desk {
    inventory: Wire,
    leasing: Wire,
}

impl Server {
    /// `operators/{operator}`
    pub(super) fn parent(&self) -> String {
        format!("operators/{}", self.operator)
    }

    /// The services as somebody of this role of the operator.
    pub(super) fn desk(&self, role: Role) -> anyhow::Result<Desk> {
        let token = match &self.token {
            Some(token) => token.clone(),
            None => minted(self.data_dir.clone(), &Organisation::Operator(self.operator.clone()), role)?,
        };
        let wire = |uri: &str| anyhow::Ok(InterceptedService::new(channel(uri)?, Bearer::new(&token)?));
        Ok(Desk { inventory: wire(&self.inventory)?, leasing: wire(&self.leasing)? })
    }
}

macro_rules! clients {
    ($($name:ident: $client:ident on $wire:ident;)*) => {
        impl Desk {
            $(pub(super) fn $name(&self) -> $client<Wire> {
                $client::new(self.$wire.clone())
            })*
        }
    };
}

clients! {
    sites: SiteServiceClient on inventory;
    capacity: CapacityServiceClient on inventory;
    reservations: ReservationServiceClient on inventory;
    agreements: AgreementServiceClient on leasing;
    offers: OfferServiceClient on leasing;
    leases: LeaseServiceClient on leasing;
    pipeline: PipelineServiceClient on leasing;
    rights: RightServiceClient on leasing;
}
