//! The settings every service has.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::time::Duration;

use postgres::Secret;

use super::{Concern, ConfigError, LogFormat, Origins, SecretFile, Setting, Source, Value as _};
use crate::token::DEVELOPMENT_ISSUER;

/// RFC 7519 speaks of a few minutes at most; a service with a clock so wrong should be repaired.
const LEEWAY_MAX: Duration = Duration::from_secs(30);

crate::concern! {
    /// What kind of place this is.
    pub struct GeneralSettings {
        production: bool = ("PRODUCTION", "true or false", "false",
            "Refuses what is for development only: development tokens and the test clock."),
    }
}

crate::concern! {
    /// How the server listens and what it bears.
    pub struct ServerSettings {
        listen: SocketAddr = ("SERVER__LISTEN", "address:port", "127.0.0.1:0",
            "Where the gRPC server listens; port 0 takes a free one and logs it."),
        max_in_flight: NonZeroUsize = ("SERVER__MAX_IN_FLIGHT", "calls", "512",
            "Unary calls at once; one more is refused with OVERLOADED."),
        max_open_streams: NonZeroUsize = ("SERVER__MAX_OPEN_STREAMS", "streams", "1024",
            "Server streams open at once; one more is refused with OVERLOADED."),
        max_connections: NonZeroUsize = ("SERVER__MAX_CONNECTIONS", "connections", "4096",
            "Connections open at once; one more is closed at once. One that says nothing for 10 s is closed too."),
        max_streams_per_connection: NonZeroU32 = ("SERVER__MAX_STREAMS_PER_CONNECTION", "HTTP/2 streams", "100",
            "HTTP/2 streams one connection may have open; the client's library waits with the next."),
        max_message_bytes: NonZeroU32 = ("SERVER__MAX_MESSAGE_BYTES", "bytes", "1048576",
            "Largest request message, also once decompressed; larger is MESSAGE_TOO_LARGE."),
        max_metadata_bytes: NonZeroU32 = ("SERVER__MAX_METADATA_BYTES", "bytes", "16384",
            "Largest header list of a request; HTTP/2 refuses a larger one."),
        max_deadline: Duration = ("SERVER__MAX_DEADLINE", "duration", "10s",
            "Longest time a unary call may take, whatever deadline the client names."),
        tls_cert_file: Option<PathBuf> = ("SERVER__TLS_CERT_FILE", "path", "",
            "PEM file with the server's certificate and its chain; then only TLS 1.3 is spoken. Read again when it changes."),
        tls_key_file: Option<PathBuf> = ("SERVER__TLS_KEY_FILE", "path", "",
            "PEM file with the key of that certificate."),
        client_ca_file: Option<PathBuf> = ("SERVER__CLIENT_CA_FILE", "path", "",
            "PEM file with the authorities of the services' certificates: a caller with role service must show one with its name as a DNS name (services/leasing: leasing) beside its token."),
        keepalive_interval: Duration = ("SERVER__KEEPALIVE_INTERVAL", "duration", "30s",
            "Silence on a connection after which the server pings it."),
        keepalive_timeout: Duration = ("SERVER__KEEPALIVE_TIMEOUT", "duration", "10s",
            "Time without an answer to a ping after which the connection is closed."),
        web_origins: Origins = ("SERVER__WEB_ORIGINS", "scheme://host:port, ...", "",
            "Origins of web pages that may call by gRPC-Web, also over HTTP/1.1; without any, gRPC-Web is not spoken."),
        max_connection_age: Duration = ("SERVER__MAX_CONNECTION_AGE", "duration", "10m",
            "Age at which a connection is told to go away, so that clients spread over new replicas."),
        linger: Duration = ("SERVER__LINGER", "duration", "0s",
            "Time between the stop signal (not ready at once) and the refusal of new connections; 5s on Kubernetes."),
        drain: Duration = ("SERVER__DRAIN", "duration", "20s",
            "Longest time calls in flight get to finish at shutdown; then connections are cut."),
    }
}

crate::concern! {
    /// Where the machinery of the platform looks.
    pub struct AdminSettings {
        listen: Option<SocketAddr> = ("ADMIN__LISTEN", "address:port", "",
            "Where health and metrics are over HTTP, apart from the API: /healthz, /readyz, /metrics. Without it, nowhere."),
    }
}

crate::concern! {
    /// Whom the server believes, and how the service shows who it is to its peers.
    pub struct AuthSettings {
        jwks_file: Option<PathBuf> = ("AUTH__JWKS_FILE", "path", "",
            "JSON Web Key Set with the public keys of tokens (EdDSA, ES256, RS256); read again when it changes. Either this or the URL."),
        jwks_url: Option<String> = ("AUTH__JWKS_URL", "https://host/path", "",
            "The same from the issuer; http is refused in production. No redirect is followed, no proxy used."),
        jwks_ca_file: Option<PathBuf> = ("AUTH__JWKS_CA_FILE", "path", "",
            "PEM file with the authorities of the URL's certificate, instead of the system's."),
        jwks_refresh: Duration = ("AUTH__JWKS_REFRESH", "duration", "5m",
            "How often the URL is asked. An issuer that publishes a key for longer than this before it signs with it rotates unnoticed."),
        jwks_min_interval: Duration = ("AUTH__JWKS_MIN_INTERVAL", "duration", "10s",
            "Shortest time between two questions; a token with an unknown key asks at once, but not sooner."),
        jwks_timeout: Duration = ("AUTH__JWKS_TIMEOUT", "duration", "3s",
            "Longest wait for the URL's answer, of at most 64 KiB."),
        jwks_max_stale: Duration = ("AUTH__JWKS_MAX_STALE", "duration", "24h",
            "How long keys are believed while the URL does not answer; then every token is refused and the server is not ready."),
        issuer: String = ("AUTH__ISSUER", "text", "", "The only `iss` a token may carry."),
        audience: String = ("AUTH__AUDIENCE", "text", "gridlease", "The only `aud` a token may carry."),
        leeway: Duration = ("AUTH__LEEWAY", "duration", "30s",
            "How far the clocks of the issuer and of the server may differ; at most 30s."),
        organisation_calls_per_s: u32 = ("AUTH__ORGANISATION_CALLS_PER_S", "calls a second", "1000",
            "Calls an organisation may make at one replica, twice as many at once; more is QUOTA_EXCEEDED. 0: as many as it likes. Our own services are not counted."),
        subject_calls_per_s: u32 = ("AUTH__SUBJECT_CALLS_PER_S", "calls a second", "500",
            "The same for one subject of an organisation."),
        unauthenticated_calls_per_s: u32 = ("AUTH__UNAUTHENTICATED_CALLS_PER_S", "calls a second", "50",
            "Calls without a good token that an address (of IPv6 its 64-bit network) may make at one replica, health and \
             reflection among them; more is QUOTA_EXCEEDED. 0: as many as it likes. Behind a proxy all come from its address."),
        token_file: Option<PathBuf> = ("AUTH__TOKEN_FILE", "path", "",
            "The service's own token for its peers, renewed by its owner; read again when it changes."),
        development_key_file: Option<PathBuf> = ("AUTH__DEVELOPMENT_KEY_FILE", "path", "",
            "Seed of the development issuer: the service mints its own tokens. Refused in production."),
    }
}

crate::concern! {
    /// How much of the service's Postgres it may use.
    pub struct DatabaseSettings {
        max_connections: NonZeroU32 = ("DATABASE__MAX_CONNECTIONS", "connections", "16",
            "Connections for requests."),
        worker_max_connections: NonZeroU32 = ("DATABASE__WORKER_MAX_CONNECTIONS", "connections", "4",
            "Connections for background work."),
        acquire_timeout: Duration = ("DATABASE__ACQUIRE_TIMEOUT", "duration", "2s",
            "Longest wait for a connection; then STORE_UNAVAILABLE."),
        verify_tls: bool = ("DATABASE__VERIFY_TLS", "true or false", "false",
            "Speaks to Postgres by TLS only and verifies its name (verify-full), whatever the URL says. Always so in production."),
        ca_file: Option<PathBuf> = ("DATABASE__CA_FILE", "path", "",
            "PEM file with the authorities of the server's certificate, instead of the URL's or the system's."),
        statement_timeout: Duration = ("DATABASE__STATEMENT_TIMEOUT", "duration", "5s",
            "Longest time of one statement."),
    }
}

crate::concern! {
    /// How to reach the service's Postgres; apart, since it is a secret.
    pub struct DatabaseUrl {
        url: SecretFile = ("DATABASE__URL_FILE", "path", "",
            "File with the postgres:// URL of the login that may act as the service's two roles."),
    }
}

crate::concern! {
    /// Where the other services are.
    pub struct PeerSettings {
        inventory: Option<String> = ("PEERS__INVENTORY", "http(s)://host:port", "", "The inventory service."),
        leasing: Option<String> = ("PEERS__LEASING", "http(s)://host:port", "", "The leasing service."),
        ca_file: Option<PathBuf> = ("PEERS__CA_FILE", "path", "",
            "PEM file with the authorities of peers at https://; TLS 1.3 only."),
        tls_cert_file: Option<PathBuf> = ("PEERS__TLS_CERT_FILE", "path", "",
            "PEM file with the certificate that this service shows to its peers. Read again when it changes."),
        tls_key_file: Option<PathBuf> = ("PEERS__TLS_KEY_FILE", "path", "",
            "PEM file with the key of that certificate."),
        deadline: Duration = ("PEERS__DEADLINE", "duration", "5s",
            "Longest time of one call to a peer, retries included; less where the caller's own deadline is nearer."),
    }
}

crate::concern! {
    /// What the service says about itself.
    pub struct TelemetrySettings {
        format: LogFormat = ("TELEMETRY__FORMAT", "auto, human or json", "auto",
            "Form of log lines; auto is human on a terminal and JSON otherwise."),
        filter: String = ("TELEMETRY__FILTER", "tracing filter", "info",
            "Which log lines are written; the variable RUST_LOG wins."),
        otlp_endpoint: Option<String> = ("TELEMETRY__OTLP_ENDPOINT", "http(s)://host:port", "",
            "Collector of traces, by OTLP over gRPC. Without it nothing is traced."),
        otlp_ca_file: Option<PathBuf> = ("TELEMETRY__OTLP_CA_FILE", "path", "",
            "PEM file with the authorities of a collector at https://, instead of the system's."),
        trace_one_in: NonZeroU32 = ("TELEMETRY__TRACE_ONE_IN", "requests", "10",
            "Of so many requests one is traced; 1 is all. A caller that sends a traceparent has decided already."),
    }
}

crate::concern! {
    /// The business clock.
    pub struct ClockSettings {
        test: bool = ("CLOCK__TEST", "true or false", "false",
            "Serves ClockService, by which a platform_admin moves business time. Refused in production."),
    }
}

crate::concern! {
    /// For a service without settings of its own.
    pub struct NoSettings {}
}

/// Everything the runtime needs to know to run one service.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The service's name, as `inventory`.
    pub service: String,
    /// What kind of place this is.
    pub general: GeneralSettings,
    /// How the server listens and what it bears.
    pub server: ServerSettings,
    /// Where the machinery of the platform looks.
    pub admin: AdminSettings,
    /// Whom the server believes.
    pub auth: AuthSettings,
    /// How to reach the service's Postgres.
    pub database_url: Secret,
    /// How much of the service's Postgres it may use.
    pub database: DatabaseSettings,
    /// Where the other services are.
    pub peers: PeerSettings,
    /// What the service says about itself.
    pub telemetry: TelemetrySettings,
    /// The business clock.
    pub clock: ClockSettings,
}

impl Settings {
    /// The tables of every concern, in the order of the README.
    pub const TABLES: &'static [&'static [Setting]] = &[
        GeneralSettings::SETTINGS,
        ServerSettings::SETTINGS,
        AdminSettings::SETTINGS,
        AuthSettings::SETTINGS,
        DatabaseUrl::SETTINGS,
        DatabaseSettings::SETTINGS,
        PeerSettings::SETTINGS,
        TelemetrySettings::SETTINGS,
        ClockSettings::SETTINGS,
    ];

    /// Loads the settings of `service` and its own concern `S` from a file and the environment.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn load<S: Concern>(
        service: &str,
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(Self, S), ConfigError> {
        let mut source = Source::new(service, file, environment);
        let url = DatabaseUrl::read(&mut source).map(|database| database.url.secret().clone());
        let settings = Self::read(service, url, &mut source);
        let own = S::read(&mut source);
        let refused = ConfigError::incomplete(service);
        source.finish()?;
        // A concern that is None has noted why, so `finish` has failed above.
        settings.zip(own).ok_or(refused)
    }

    /// The defaults with the development issuer, for tests and the all-in-one command, which then change fields.
    ///
    /// # Errors
    /// A default that does not read as its own type.
    pub fn local(service: &str, database_url: &str, jwks_file: &Path) -> Result<Self, ConfigError> {
        let prefix = format!("GRIDLEASE_{}__", service.to_ascii_uppercase());
        let given = [
            ("AUTH__JWKS_FILE", jwks_file.display().to_string()),
            ("AUTH__ISSUER", DEVELOPMENT_ISSUER.to_owned()),
            // On one's own machine nobody is kept from trying how fast it is.
            ("AUTH__ORGANISATION_CALLS_PER_S", "0".to_owned()),
            ("AUTH__SUBJECT_CALLS_PER_S", "0".to_owned()),
            ("AUTH__UNAUTHENTICATED_CALLS_PER_S", "0".to_owned()),
        ];
        let mut source =
            Source::new(service, None, given.map(|(name, text)| (format!("{prefix}{name}"), text)));
        let settings = Self::read(service, Some(Secret::new(database_url)), &mut source);
        source.finish()?;
        settings.ok_or_else(|| ConfigError::incomplete(service))
    }

    fn read(service: &str, database_url: Option<Secret>, source: &mut Source) -> Option<Self> {
        // Every concern is read before any is asked for, so that every error is noted.
        let general = GeneralSettings::read(source);
        let server = ServerSettings::read(source);
        let admin = AdminSettings::read(source);
        let auth = AuthSettings::read(source);
        let database = DatabaseSettings::read(source);
        let peers = PeerSettings::read(source);
        let telemetry = TelemetrySettings::read(source);
        let clock = ClockSettings::read(source);
        check(source);
        Some(Self {
            service: service.to_owned(),
            general: general?,
            server: server?,
            admin: admin?,
            auth: auth?,
            database_url: database_url?,
            database: database?,
            peers: peers?,
            telemetry: telemetry?,
            clock: clock?,
        })
    }
}

/// What no single setting can say.
fn check(source: &mut Source) {
    let given = |key: &str| source.text(key).is_some();
    let is = |key: &str, text: &str| source.text(key) == Some(text);
    let production = is("production", "true");
    let leeway = source.text("auth.leeway").and_then(|text| Duration::parse(text).ok());
    let rules = [
        (
            given("auth.jwks_file") == given("auth.jwks_url"),
            "auth.jwks_file or auth.jwks_url is required, and one excludes the other",
        ),
        (
            production && source.text("auth.jwks_url").is_some_and(|url| !url.starts_with("https://")),
            "auth.jwks_url must begin with https:// in production",
        ),
        (
            production && source.text("server.web_origins").is_some_and(|all| all.contains("http://")),
            "server.web_origins must begin with https:// in production",
        ),
        (
            given("telemetry.otlp_ca_file") && !given("telemetry.otlp_endpoint"),
            "telemetry.otlp_ca_file needs telemetry.otlp_endpoint",
        ),
        (
            given("server.tls_cert_file") != given("server.tls_key_file"),
            "server.tls_cert_file and server.tls_key_file go together",
        ),
        (
            given("server.client_ca_file") && !given("server.tls_cert_file"),
            "server.client_ca_file needs server.tls_cert_file",
        ),
        (
            given("peers.tls_cert_file") != given("peers.tls_key_file"),
            "peers.tls_cert_file and peers.tls_key_file go together",
        ),
        (leeway.is_some_and(|leeway| leeway > LEEWAY_MAX), "auth.leeway must be at most 30s"),
        (
            given("auth.token_file") && given("auth.development_key_file"),
            "auth.token_file and auth.development_key_file exclude each other",
        ),
        (
            production && given("auth.development_key_file"),
            "auth.development_key_file is refused in production",
        ),
        (
            production && is("auth.issuer", DEVELOPMENT_ISSUER),
            "auth.issuer is the development issuer, which is refused in production",
        ),
        (production && is("clock.test", "true"), "clock.test is refused in production"),
    ];
    for (broken, problem) in rules {
        if broken {
            source.problem(problem);
        }
    }
}
