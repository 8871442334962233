//! Settings of authentication and authorisation.

use super::Secret;
use crate::error::Error;
use crate::reader::{Given, Reader};
use crate::warning::{Caution, Warning};

/// Who may do what, and how clients say who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Auth {
    /// `DigestAuthenticationProvider.superDigest`: `super:<base64>`, who may do everything.
    pub super_digest: Option<Secret>,
    /// `DigestAuthenticationProvider.digestAlg`.
    pub digest_algorithm: DigestAlgorithm,
    /// `DigestAuthenticationProvider.enabled`: there is a scheme digest.
    pub digest_enabled: bool,
    /// `authProvider.*` by the classes that are known, in the order of the file.
    pub providers: Vec<Provider>,
    /// `enforce.auth.enabled` and `sessionRequireClientSASLAuth`: the schemes of which a client
    /// must have used one before anything else; empty asks for none.
    pub enforced_schemes: Vec<String>,
    /// `superUser` and `superUser.*`: SASL ids that may do everything.
    pub super_users: Vec<String>,
    /// `X509AuthenticationProvider.superUser`: the certificate subject that may.
    pub x509_super_user: Option<String>,
    /// `ensembleAuthName`: the names of the scheme ensemble.
    pub ensemble_names: Vec<String>,
    /// `allowSaslFailedClients`: clients whose SASL failed are kept.
    pub allow_sasl_failed_clients: bool,
    /// `SASLAuthenticationProvider.superPassword`.
    pub sasl_super_password: Option<Secret>,
    /// `letAnySaslUserDoX`: the ACL id of every SASL user.
    pub any_sasl_user: Option<String>,
    /// `sasl.serverconfig`: the JAAS section of the server.
    pub sasl_server_config: String,
    /// Names of Kerberos principals.
    pub kerberos: Kerberos,
}

/// How ids are made of Kerberos principals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kerberos {
    /// `kerberos.removeHostFromPrincipal`.
    pub remove_host: bool,
    /// `kerberos.removeRealmFromPrincipal`.
    pub remove_realm: bool,
    /// `security.auth_to_local`.
    pub auth_to_local: String,
}

/// The hash of digest ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigestAlgorithm {
    /// SHA-1, the only one that every client knows.
    Sha1,
}

/// An authentication provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// Scheme `digest`.
    Digest,
    /// Scheme `ensemble`.
    Ensemble,
    /// Scheme `ip`.
    Ip,
    /// Scheme `key`.
    Key,
    /// Scheme `sasl`.
    Sasl,
    /// Scheme `x509`.
    X509,
}

impl Provider {
    const ALL: [Self; 6] =
        [Self::Digest, Self::Ensemble, Self::Ip, Self::Key, Self::Sasl, Self::X509];

    /// The scheme that clients name.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Digest => "digest",
            Self::Ensemble => "ensemble",
            Self::Ip => "ip",
            Self::Key => "key",
            Self::Sasl => "sasl",
            Self::X509 => "x509",
        }
    }

    fn class(self) -> String {
        let name = match self {
            Self::Digest => "Digest",
            Self::Ensemble => "Ensemble",
            Self::Ip => "IP",
            Self::Key => "Key",
            Self::Sasl => "SASL",
            Self::X509 => "X509",
        };
        format!("org.apache.zookeeper.server.auth.{name}AuthenticationProvider")
    }

    fn is_supported(self) -> bool {
        match self {
            Self::Digest | Self::Ip => true,
            Self::Ensemble | Self::Key | Self::Sasl | Self::X509 => false,
        }
    }
}

impl DigestAlgorithm {
    const KEY: &str = "DigestAuthenticationProvider.digestAlg";
    const NAMES: &[&str] = &["SHA1", "SHA-1", "SHA"];

    fn read(r: &mut Reader) -> Self {
        let value = r.text(Self::KEY);
        if !Self::NAMES.iter().any(|name| name.eq_ignore_ascii_case(&value)) {
            let (at, key) = (r.origin(Self::KEY), Self::KEY.to_owned());
            r.refuse(Error::DigestAlgorithm { at, key, value, allowed: Self::NAMES });
        }
        Self::Sha1
    }
}

impl Auth {
    pub(super) fn read(r: &mut Reader, secure_port: Option<u16>) -> Self {
        let digest_enabled = r.boolean("DigestAuthenticationProvider.enabled");
        let providers = providers(r);
        let mut available = vec![Provider::Ip];
        available.extend(digest_enabled.then_some(Provider::Digest));
        available.extend(&providers);
        // Compat: Java adds this one by itself.
        available.extend(secure_port.map(|_| Provider::X509));
        check_ssl_provider(r, secure_port, &available);
        Self {
            super_digest: r.filled("DigestAuthenticationProvider.superDigest").map(Secret::from),
            digest_algorithm: DigestAlgorithm::read(r),
            digest_enabled,
            providers,
            enforced_schemes: enforced_schemes(r, &available),
            super_users: super_users(r),
            x509_super_user: r.filled("X509AuthenticationProvider.superUser"),
            ensemble_names: r.words("ensembleAuthName"),
            allow_sasl_failed_clients: r.boolean("allowSaslFailedClients"),
            sasl_super_password: r
                .filled("SASLAuthenticationProvider.superPassword")
                .map(Secret::from),
            any_sasl_user: r.filled("letAnySaslUserDoX"),
            sasl_server_config: r.text("sasl.serverconfig"),
            kerberos: Kerberos {
                remove_host: r.boolean("kerberos.removeHostFromPrincipal"),
                remove_realm: r.boolean("kerberos.removeRealmFromPrincipal"),
                auth_to_local: r.text("security.auth_to_local"),
            },
        }
    }
}

fn providers(r: &mut Reader) -> Vec<Provider> {
    let mut providers = Vec::new();
    for Given { key, text, at } in r.family("authProvider.") {
        let provider = Provider::ALL.into_iter().find(|provider| provider.class() == text);
        let caution = match provider {
            None => Some(Caution::NoSuchProvider { class: text }),
            Some(provider) => (!provider.is_supported()).then_some(Caution::NotYet),
        };
        r.warnings.extend(caution.map(|caution| Warning { at, key, caution }));
        providers.extend(provider);
    }
    providers
}

fn super_users(r: &mut Reader) -> Vec<String> {
    let mut users: Vec<String> = r.filled("superUser").into_iter().collect();
    for Given { key, text, at } in r.family("superUser.") {
        r.warnings.push(Warning { at, key, caution: Caution::NotYet });
        users.push(text);
    }
    users
}

/// Never lets clients in because of a fault: what cannot be provided is an error.
fn enforced_schemes(r: &mut Reader, available: &[Provider]) -> Vec<String> {
    let by_sasl = r.boolean("sessionRequireClientSASLAuth");
    let enabled = r.boolean("enforce.auth.enabled");
    let listed = r.words("enforce.auth.schemes");
    let (key, schemes) = match (by_sasl, enabled) {
        (true, _) => ("sessionRequireClientSASLAuth", vec![Provider::Sasl.scheme().to_owned()]),
        (false, true) => ("enforce.auth.schemes", listed),
        (false, false) => return Vec::new(),
    };
    if schemes.is_empty() {
        r.refuse(Error::NoSchemes { at: r.origin("enforce.auth.enabled") });
    }
    for scheme in &schemes {
        if !available.iter().any(|provider| provider.scheme() == scheme) {
            let (at, scheme) = (r.origin(key), scheme.clone());
            let available = scheme_list(available);
            r.refuse(Error::NoSuchScheme { at, key, scheme, available });
        }
    }
    schemes
}

fn scheme_list(available: &[Provider]) -> String {
    let schemes: Vec<&str> = available.iter().map(|provider| provider.scheme()).collect();
    schemes.join(", ")
}

fn check_ssl_provider(r: &mut Reader, secure_port: Option<u16>, available: &[Provider]) {
    let scheme = r.text("ssl.authProvider");
    let known = available.iter().any(|provider| provider.scheme() == scheme);
    if secure_port.is_some() && !known {
        r.refuse(Error::NoSslProvider { at: r.origin("ssl.authProvider"), scheme });
    }
}
