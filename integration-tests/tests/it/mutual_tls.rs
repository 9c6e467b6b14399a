//! TLS between services: made-up authorities, certificates good and bad, and a booking across it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use contracts::inventory::v1 as inventory_wire;
use contracts::inventory::v1::site_service_client::SiteServiceClient;
use contracts::leasing::v1 as leasing_wire;
use contracts::leasing::v1::lease_service_client::LeaseServiceClient;
use contracts::leasing::v1::tenant_service_client::TenantServiceClient;
use integration_tests::certificates::{Authority, Certificate};
use integration_tests::{Refusal, TestDatabase, market};
use kernel::{Organisation, Role};
use runtime::client::{Bearer, Channel, channel, channel_to};
use runtime::settings::PeerSettings;
use runtime::token::{JWKS_FILE, KEY_FILE};
use runtime::{Deps, Running, Settings, TokenIssuer};
use tokio_util::sync::CancellationToken;
use tonic::service::interceptor::InterceptedService;
use tonic::{Code, Status};

/// A folder with keys, tokens and certificates.
struct Folder {
    path: tempfile::TempDir,
    issuer: TokenIssuer,
    authority: Authority,
}

impl Folder {
    fn new() -> Result<Self> {
        let path = tempfile::tempdir()?;
        let issuer = TokenIssuer::in_directory(path.path())?;
        let this = Self { path, issuer, authority: Authority::new()? };
        this.write("ca.pem", &this.authority.pem())?;
        this.pair("server", &this.authority.issue(&["localhost"], |_| {})?)?;
        Ok(this)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        std::fs::write(self.file(name), text)?;
        Ok(self.file(name))
    }

    fn pair(&self, name: &str, certificate: &Certificate) -> Result<()> {
        self.write(&format!("{name}.pem"), &certificate.pem)?;
        self.write(&format!("{name}.key"), &certificate.key_pem)?;
        Ok(())
    }

    fn settings(&self, service: &str, database: &str) -> Result<Settings> {
        let mut settings = Settings::local(service, database, &self.file(JWKS_FILE))?;
        settings.auth.development_key_file = Some(self.file(KEY_FILE));
        Ok(settings)
    }

    /// Inventory behind TLS, which wants services to show certificates.
    async fn inventory(&self, database: &str, stop: &CancellationToken) -> Result<Running> {
        let mut settings = self.settings("inventory", database)?;
        settings.database.acquire_timeout = std::time::Duration::from_millis(300);
        settings.server.tls_cert_file = Some(self.file("server.pem"));
        settings.server.tls_key_file = Some(self.file("server.key"));
        settings.server.client_ca_file = Some(self.file("ca.pem"));
        let deps = Deps::open(settings, None, stop.clone())?;
        Ok(runtime::start(inventory::InventorySettings::default(), deps, inventory::service).await?)
    }

    /// How a peer calls: with this certificate, or with none, believing this authority.
    fn peer(&self, authority: &Path, shows: Option<&str>) -> Result<PeerSettings> {
        let mut peers = self.settings("leasing", "postgres://x")?.peers;
        peers.ca_file = Some(authority.to_owned());
        peers.tls_cert_file = shows.map(|name| self.file(&format!("{name}.pem")));
        peers.tls_key_file = shows.map(|name| self.file(&format!("{name}.key")));
        Ok(peers)
    }

    fn bearer(&self, organisation: &str, role: Role) -> Result<Bearer> {
        let organisation: Organisation = organisation.parse()?;
        let hour = std::time::Duration::from_secs(3_600);
        Ok(Bearer::new(&self.issuer.mint("ana", &organisation, &[role], hour)?)?)
    }
}

fn at(running: &Running) -> String {
    format!("https://localhost:{}", running.address.port())
}

async fn ask(channel: Channel, bearer: Bearer) -> Result<(), Status> {
    let mut client = SiteServiceClient::with_interceptor(channel, bearer);
    client.list_operators(inventory_wire::ListOperatorsRequest::default()).await.map(|_| ())
}

/// What the answer was: the store is not there, so whoever comes through is told so.
fn came_through(answer: &Result<(), Status>) -> Option<bool> {
    let status = answer.as_ref().err()?;
    match Refusal::of(status) {
        Ok(refusal) if refusal.reason == "STORE_UNAVAILABLE" => Some(true),
        Ok(refusal) if refusal.reason == "UNAUTHENTICATED" => Some(false),
        // No answer of ours: the handshake failed.
        Err(_) if matches!(status.code(), Code::Unavailable | Code::Unknown | Code::Internal) => Some(false),
        Ok(_) | Err(_) => None,
    }
}

#[tokio::test]
async fn a_service_needs_its_certificate_and_people_do_not() -> Result<()> {
    let folder = Folder::new()?;
    let stranger = Authority::new()?;
    let (ca, other_ca) = (folder.file("ca.pem"), folder.write("stranger.pem", &stranger.pem())?);
    let issue = |names: &[&str]| folder.authority.issue(names, |_| {});
    let long_ago = |params: &mut rcgen::CertificateParams| {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    };
    folder.pair("leasing", &issue(&["leasing"])?)?;
    folder.pair("tenant", &issue(&["tenant.example"])?)?;
    folder.pair("nameless", &issue(&[])?)?;
    folder.pair("expired", &folder.authority.issue(&["leasing"], long_ago)?)?;
    folder.pair("forged", &stranger.issue(&["leasing"], |_| {})?)?;
    let stop = CancellationToken::new();
    let running = folder.inventory("postgres://nobody@127.0.0.1:1/nothing", &stop).await?;
    let service = || folder.bearer("services/leasing", Role::Service);
    let person = || folder.bearer("operators/acme", Role::Sales);
    for (what, authority, shows, bearer, through) in [
        ("leasing with its certificate", &ca, Some("leasing"), service()?, true),
        ("leasing without one", &ca, None, service()?, false),
        ("leasing with a tenant's", &ca, Some("tenant"), service()?, false),
        ("leasing with one of no name", &ca, Some("nameless"), service()?, false),
        ("leasing with an expired one", &ca, Some("expired"), service()?, false),
        ("leasing with one of another authority", &ca, Some("forged"), service()?, false),
        (
            "billing with leasing's",
            &ca,
            Some("leasing"),
            folder.bearer("services/billing", Role::Service)?,
            false,
        ),
        ("a person without one", &ca, None, person()?, true),
        ("a person with a forged one", &ca, Some("forged"), person()?, false),
        ("whoever does not believe the server", &other_ca, Some("leasing"), service()?, false),
    ] {
        let answer = ask(channel_to(&at(&running), &folder.peer(authority, shows)?)?, bearer).await;
        ensure!(came_through(&answer) == Some(through), "{what}: {answer:?}");
    }
    let plain = ask(channel(&format!("http://{}", running.address))?, person()?).await;
    ensure!(came_through(&plain) == Some(false), "without TLS: {plain:?}");
    // The server's name must be the one that was called.
    let by_number = format!("https://{}", running.address);
    let answer = ask(channel_to(&by_number, &folder.peer(&ca, Some("leasing"))?)?, service()?).await;
    ensure!(came_through(&answer) == Some(false), "by another name: {answer:?}");
    stop.cancel();
    Ok(())
}

#[tokio::test]
async fn certificates_are_renewed_without_a_restart() -> Result<()> {
    let mut folder = Folder::new()?;
    let stop = CancellationToken::new();
    let running = folder.inventory("postgres://nobody@127.0.0.1:1/nothing", &stop).await?;
    let ca = folder.file("ca.pem");
    let ask_anew = async |folder: &Folder, authority: &Path| {
        let channel = channel_to(&at(&running), &folder.peer(authority, None)?)?;
        anyhow::Ok(came_through(&ask(channel, folder.bearer("operators/acme", Role::Sales)?).await))
    };
    ensure!(ask_anew(&folder, &ca).await? == Some(true));
    // A certificate of the next authority, in the same files; half of a pair changes nothing.
    folder.authority = Authority::new()?;
    let next = folder.write("next.pem", &folder.authority.pem())?;
    let renewed = folder.authority.issue(&["localhost"], |_| {})?;
    folder.write("server.pem", &renewed.pem)?;
    tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    ensure!(ask_anew(&folder, &ca).await? == Some(true), "a certificate without its key is not shown");
    folder.write("server.key", &renewed.key_pem)?;
    tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    ensure!(ask_anew(&folder, &next).await? == Some(true), "the new certificate is shown");
    ensure!(ask_anew(&folder, &ca).await? == Some(false), "and the old one is not");
    stop.cancel();
    Ok(())
}

#[tokio::test]
async fn a_lease_is_proposed_across_mutual_tls() -> Result<()> {
    let folder = Folder::new()?;
    folder.pair("leasing", &folder.authority.issue(&["leasing"], |_| {})?)?;
    let database = TestDatabase::create().await?;
    let stop = CancellationToken::new();
    let inventory = folder.inventory(&database.url(), &stop).await?;
    let mut settings = folder.settings("leasing", &database.url())?;
    settings.peers.inventory = Some(at(&inventory));
    settings.peers.ca_file = Some(folder.file("ca.pem"));
    settings.peers.tls_cert_file = Some(folder.file("leasing.pem"));
    settings.peers.tls_key_file = Some(folder.file("leasing.key"));
    let deps = Deps::open(settings, None, stop.clone())?;
    let leasing = runtime::start(leasing::LeasingSettings::default(), deps, leasing::service).await?;

    let platform = || folder.bearer("platform", Role::PlatformAdmin);
    let to_inventory = channel_to(&at(&inventory), &folder.peer(&folder.file("ca.pem"), None)?)?;
    let to_leasing = channel(&leasing.url())?;
    let mut sites = SiteServiceClient::with_interceptor(to_inventory.clone(), platform()?);
    let operator = inventory_wire::Operator { display_name: "Acme".to_owned(), ..Default::default() };
    let create = inventory_wire::CreateOperatorRequest {
        operator_id: "acme".to_owned(),
        operator: Some(operator),
        request_id: market::request_id(),
        validate_only: false,
    };
    sites.create_operator(create).await.context("an operator")?;
    let staff = folder.bearer("operators/acme", Role::SiteOps)?;
    let block = hall(InterceptedService::new(to_inventory, staff)).await?;
    let mut tenants = TenantServiceClient::with_interceptor(to_leasing.clone(), platform()?);
    let create = leasing_wire::CreateTenantRequest {
        tenant_id: "lab".to_owned(),
        tenant: Some(leasing_wire::Tenant { display_name: "Lab".to_owned(), ..Default::default() }),
        request_id: market::request_id(),
        validate_only: false,
    };
    tenants.create_tenant(create).await.context("a tenant")?;
    let sales = folder.bearer("operators/acme", Role::Sales)?;
    let mut leases = LeaseServiceClient::with_interceptor(to_leasing, sales);
    let terms = market::terms(&block, market::load(1_000));
    let proposal = market::proposal("operators/acme", "tenants/lab", "first", terms);
    let lease = leases.propose_lease(proposal).await.context("a lease, held at inventory")?.into_inner();
    ensure!(lease.lease.is_some_and(|lease| !lease.name.is_empty()));
    stop.cancel();
    Ok(())
}

/// A hall that is ready.
async fn hall(wire: InterceptedService<Channel, Bearer>) -> Result<String> {
    let mut sites = SiteServiceClient::new(wire);
    let create = inventory_wire::CreateSiteRequest {
        parent: "operators/acme".to_owned(),
        site_id: "rockdale".to_owned(),
        site: Some(market::grid_site(10_000_000)),
        request_id: market::request_id(),
        validate_only: false,
    };
    let site = sites.create_site(create).await?.into_inner().site.context("a site")?.name;
    let create = inventory_wire::CreateBlockRequest {
        parent: site,
        block_id: "hall".to_owned(),
        block: Some(market::liquid_block()),
        request_id: market::request_id(),
        validate_only: false,
    };
    let block = sites.create_block(create).await?.into_inner().block.context("a block")?.name;
    let create = inventory_wire::CreatePhaseRequest {
        parent: block.clone(),
        phase_id: "one".to_owned(),
        phase: Some(market::phase(market::hall(10_000), market::READY)),
        request_id: market::request_id(),
        validate_only: false,
    };
    sites.create_phase(create).await?;
    Ok(block)
}
