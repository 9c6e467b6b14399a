//! `gridlease revoke`: says to every service that tokens are over before their time.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use contracts::common::v1::access_service_client::AccessServiceClient;
use contracts::common::v1::revoke_tokens_request::Tokens;
use contracts::common::v1::{Revocation, RevokeTokensRequest};
use kernel::{Ids as _, Instant, Organisation, Role, SystemIds};
use runtime::client::{Bearer, channel};
use tonic::service::interceptor::InterceptedService;

use crate::asking::minted;
use crate::out;
use crate::refused::explained;

const EXAMPLES: &str = "\
Examples:
  gridlease revoke --org operators/hut-8 --subject ana --reason \"laptop lost\"
  gridlease revoke --org tenants/anthropic --token-id 0192d3a4-77aa-7c1e-9b1e-3f6a2f1c0d55
  gridlease revoke --org operators/hut-8 --subject ana --until 2027-01-01T00:00:00Z --check";

/// `gridlease revoke`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["subject", "token_id"]))]
pub struct Revoke {
    /// The organisation of the tokens: operators/SLUG, tenants/SLUG, services/NAME or platform
    #[arg(long, value_name = "ORG")]
    pub org: Organisation,
    /// All tokens of this subject
    #[arg(long, value_name = "NAME")]
    pub subject: Option<String>,
    /// The token with this id (jti)
    #[arg(long, value_name = "ID")]
    pub token_id: Option<String>,
    /// With --subject: tokens issued until then, at most a day ahead [default: now]
    #[arg(long, value_name = "TIME", requires = "subject")]
    pub until: Option<Instant>,
    /// Why, for the record
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub reason: String,
    /// Only say what would be done
    #[arg(long)]
    pub check: bool,
    /// Where inventory listens
    #[arg(long, env = "GRIDLEASE_INVENTORY", default_value = "http://127.0.0.1:50051", value_name = "URI")]
    pub inventory: String,
    /// Where leasing listens
    #[arg(long, env = "GRIDLEASE_LEASING", default_value = "http://127.0.0.1:50052", value_name = "URI")]
    pub leasing: String,
    /// Where billing listens
    #[arg(long, env = "GRIDLEASE_BILLING", default_value = "http://127.0.0.1:50053", value_name = "URI")]
    pub billing: String,
    /// A token [default: one of the local development issuer]
    #[arg(long, env = "GRIDLEASE_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub token: Option<String>,
    /// The data directory of the `up` whose issuer mints the token [default: the user's data directory]
    #[arg(long, env = "GRIDLEASE_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

/// Tells every service, also when one does not answer, and says what each answered. The exit code is 0 only if the
/// tokens are over everywhere.
///
/// # Errors
/// A bad token; production without one.
pub async fn revoke(arguments: Revoke) -> anyhow::Result<ExitCode> {
    let token = match &arguments.token {
        Some(token) => token.clone(),
        None => {
            let (organisation, role) = who_ends(&arguments.org);
            minted(arguments.data_dir.clone(), &organisation, role)?
        }
    };
    let bearer = Bearer::new(&token)?;
    let request = request(&arguments);
    let mut table = out::table(&["Service", "Over are tokens issued until", "Kept until"]);
    let mut failed = Vec::new();
    let at = [
        ("inventory", &arguments.inventory),
        ("leasing", &arguments.leasing),
        ("billing", &arguments.billing),
    ];
    for (service, uri) in at {
        match tell(uri, bearer.clone(), request.clone()).await {
            Ok(said) => {
                let time =
                    |at: Option<prost_types::Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
                table.add_row([service.to_owned(), time(said.issued_until_time), time(said.expire_time)]);
            }
            Err(error) => failed.push(format!("{service} has not heard of it: {}", explained(&error))),
        }
    }
    out::say(table.to_string());
    for line in &failed {
        out::note(line);
    }
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Who ends the tokens of an organisation: its own administrator, and the platform's for those that have none.
fn who_ends(organisation: &Organisation) -> (Organisation, Role) {
    match organisation {
        Organisation::Operator(_) => (organisation.clone(), Role::OperatorAdmin),
        Organisation::Tenant(_) => (organisation.clone(), Role::Tenant),
        Organisation::Platform | Organisation::Service(_) => (Organisation::Platform, Role::PlatformAdmin),
    }
}

fn request(arguments: &Revoke) -> RevokeTokensRequest {
    let tokens = match (&arguments.token_id, &arguments.subject) {
        (Some(id), _) => Some(Tokens::TokenId(id.clone())),
        (None, subject) => subject.clone().map(Tokens::Subject),
    };
    RevokeTokensRequest {
        parent: arguments.org.to_string(),
        tokens,
        issued_until_time: arguments.until.map(runtime::wire::to_timestamp),
        reason: arguments.reason.clone(),
        // Each service keeps its own record: one id for the three.
        request_id: SystemIds.next().to_string(),
        validate_only: arguments.check,
    }
}

async fn tell(uri: &str, bearer: Bearer, request: RevokeTokensRequest) -> anyhow::Result<Revocation> {
    let wire = InterceptedService::new(channel(uri)?, bearer);
    let answer = AccessServiceClient::new(wire).revoke_tokens(request).await?;
    answer.into_inner().revocation.context("an answer without a revocation")
}
