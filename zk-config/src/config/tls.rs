//! Settings of TLS, for clients and for the quorum.

use std::path::PathBuf;
use std::time::Duration;

use super::Secret;
use crate::keys;
use crate::reader::Reader;

/// TLS on every port that may have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// `ssl.*`: the client ports.
    pub client: TlsParty,
    /// `ssl.quorum.*`: quorum and election ports, and the admin server.
    pub quorum: TlsParty,
    /// `client.portUnification`: the plaintext client port takes TLS too.
    pub client_port_unification: bool,
    /// `client.certReload`: the client stores are reloaded when they change.
    pub client_cert_reload: bool,
    /// `sslQuorum`: quorum and election ports speak TLS.
    pub quorum_enabled: bool,
    /// `portUnification`: quorum and election ports take both.
    pub quorum_port_unification: bool,
    /// `sslQuorumReloadCertFiles`: the quorum stores are reloaded when they change.
    pub quorum_reload_cert_files: bool,
    /// `fips-mode`: no host name checks on quorum links.
    pub fips_mode: bool,
    /// `ssl.authProvider`: the scheme by which TLS clients are authenticated.
    pub auth_provider: String,
}

/// TLS of one kind of ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsParty {
    /// The own key and certificates.
    pub key_store: Store,
    /// The certificates that are trusted.
    pub trust_store: Store,
    /// `protocol`: the TLS version.
    pub protocol: String,
    /// `enabledProtocols`: the TLS versions that are spoken.
    pub enabled_protocols: Vec<String>,
    /// `ciphersuites` by JSSE names; empty for the default.
    pub cipher_suites: Vec<String>,
    /// `clientAuth`.
    pub client_auth: ClientAuth,
    /// `hostnameVerification`: check the name of the accepting side.
    pub hostname_verification: bool,
    /// `clientHostnameVerification`: check the name of the connecting side.
    pub client_hostname_verification: bool,
    /// `allowReverseDnsLookup`: ask DNS for the name of an address.
    pub allow_reverse_dns_lookup: bool,
    /// `crl`: check revocation lists.
    pub crl: bool,
    /// `ocsp`: ask the issuer.
    pub ocsp: bool,
    /// `handshakeDetectionTimeoutMillis`: time in which TLS or plaintext must show.
    pub handshake_detection_timeout: Duration,
}

/// A file of keys or certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// `location`.
    pub location: Option<PathBuf>,
    /// `password`; it gives way to `password_path`.
    pub password: Secret,
    /// `passwordPath`: a file that holds the password.
    pub password_path: Option<PathBuf>,
    /// `type`, or what the file's extension says; `None` if neither is known.
    pub form: Option<StoreForm>,
}

/// The form of a file of keys or certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreForm {
    /// Java's own.
    Jks,
    /// Text blocks.
    Pem,
    /// PKCS #12.
    Pkcs12,
    /// Bouncy Castle's.
    Bcfks,
}

/// Whether the connecting side must show a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuth {
    /// It is not asked for one.
    None,
    /// It may.
    Want,
    /// It must.
    Need,
}

impl Tls {
    pub(super) fn read(r: &mut Reader) -> Self {
        let mut client = TlsParty::read(r, "ssl.");
        if client.enabled_protocols.is_empty() {
            // Compat: on the client ports Java speaks the one protocol only.
            client.enabled_protocols.push(client.protocol.clone());
        }
        let quorum = TlsParty::read(r, "ssl.quorum.");
        let quorum_enabled = r.boolean("sslQuorum");
        if quorum_enabled && quorum.key_store.location.is_none() {
            r.odd("sslQuorum", "ssl.quorum.keyStore.location is not set, handshakes will fail");
        }
        Self {
            client,
            quorum,
            client_port_unification: r.boolean("client.portUnification"),
            client_cert_reload: r.boolean("client.certReload"),
            quorum_enabled,
            quorum_port_unification: r.boolean("portUnification"),
            quorum_reload_cert_files: r.boolean("sslQuorumReloadCertFiles"),
            fips_mode: r.boolean("fips-mode"),
            auth_provider: r.text("ssl.authProvider"),
        }
    }
}

impl TlsParty {
    fn read(r: &mut Reader, prefix: &'static str) -> Self {
        let key = |suffix| keys::name_of(prefix, suffix);
        Self {
            key_store: Store::read(r, prefix, "keyStore."),
            trust_store: Store::read(r, prefix, "trustStore."),
            protocol: r.text(key("protocol")),
            enabled_protocols: r.words(key("enabledProtocols")),
            cipher_suites: r.words(key("ciphersuites")),
            client_auth: match r.text(key("clientAuth")).as_str() {
                "none" => ClientAuth::None,
                "want" => ClientAuth::Want,
                _ => ClientAuth::Need,
            },
            hostname_verification: r.boolean(key("hostnameVerification")),
            client_hostname_verification: r.boolean(key("clientHostnameVerification")),
            allow_reverse_dns_lookup: r.boolean(key("allowReverseDnsLookup")),
            crl: r.boolean(key("crl")),
            ocsp: r.boolean(key("ocsp")),
            handshake_detection_timeout: {
                let key = key("handshakeDetectionTimeoutMillis");
                let millis = r.at_least_or_default(key, 1, "there must be time for a first byte");
                Duration::from_millis(millis.into())
            },
        }
    }
}

impl Store {
    fn read(r: &mut Reader, prefix: &'static str, store: &'static str) -> Self {
        let key = |suffix: &str| keys::name_of(prefix, &format!("{store}{suffix}"));
        let location = r.path(key("location"));
        let form = r.text(key("type"));
        Self {
            form: StoreForm::named(&form).or_else(|| {
                let extension = location.as_deref()?.extension()?.to_str()?;
                StoreForm::of_extension(extension)
            }),
            location,
            password: Secret::from(r.text(key("password"))),
            password_path: r.path(key("passwordPath")),
        }
    }
}

impl StoreForm {
    fn named(name: &str) -> Option<Self> {
        match name {
            "JKS" => Some(Self::Jks),
            "PEM" => Some(Self::Pem),
            "PKCS12" => Some(Self::Pkcs12),
            "BCFKS" => Some(Self::Bcfks),
            _ => None,
        }
    }

    /// Compat: Java knows the extensions in lower case only.
    fn of_extension(extension: &str) -> Option<Self> {
        match extension {
            "jks" => Some(Self::Jks),
            "pem" => Some(Self::Pem),
            "p12" => Some(Self::Pkcs12),
            "bcfks" => Some(Self::Bcfks),
            _ => None,
        }
    }
}
