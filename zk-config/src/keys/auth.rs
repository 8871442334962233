//! Chapter 7.5: authentication and authorisation.

use super::Key;
use super::Kind::{LenientBool, LenientLong, Path, Provider, Text, Words};
use super::State::{Honoured, NoEffect, NotYet};

pub(super) const KEYS: &[Key] = super::rows! { "7.5":
    ("DigestAuthenticationProvider.superDigest", Property, Text, P1, Honoured, "",
        "super:<base64 digest>, who may do everything");
    ("DigestAuthenticationProvider.digestAlg", Property, Text, P2, Honoured, "SHA1",
        "hash of digest ids; equal on all servers");
    ("DigestAuthenticationProvider.enabled", Property, LenientBool, P2, Honoured, "true",
        "the scheme digest");
    ("authProvider.", Property, Provider, P1, Honoured, "",
        "an authentication provider by its Java class; what follows the dot is free");
    ("superUser", Property, Text, P2, NotYet, "",
        "SASL id that may do everything");
    ("superUser.", Property, Text, P2, NotYet, "",
        "further SASL ids that may do everything");
    ("X509AuthenticationProvider.superUser", Property, Text, P2, NotYet, "",
        "subject of the client certificate that may do everything");
    ("ssl.authProvider", Property, Text, P3, NotYet, "x509",
        "scheme that TLS clients are authenticated by");
    ("ensembleAuthName", Property, Words, P3, NotYet, "",
        "names that clients may give to the scheme ensemble");
    ("enforce.auth.enabled", Property, LenientBool, P2, Honoured, "false",
        "clients must authenticate before anything else");
    ("enforce.auth.schemes", Property, Words, P2, Honoured, "",
        "schemes by which they may");
    ("sessionRequireClientSASLAuth", Property, LenientBool, P2, Honoured, "false",
        "clients must authenticate by sasl before anything else");
    ("allowSaslFailedClients", Property, LenientBool, P3, NotYet, "false",
        "keep clients whose SASL failed");
    ("SASLAuthenticationProvider.superPassword", Property, Text, P3, NotYet, "",
        "DIGEST-MD5 password of the user super");
    ("letAnySaslUserDoX", Property, Text, P3, NotYet, "",
        "ACL id that stands for every SASL user");
    ("sasl.serverconfig", Property, Text, P2, NotYet, "Server",
        "JAAS section of the server");
    ("kerberos.removeHostFromPrincipal", Property, LenientBool, P3, NotYet, "false",
        "ids without the host of the principal");
    ("kerberos.removeRealmFromPrincipal", Property, LenientBool, P3, NotYet, "false",
        "ids without the realm of the principal");
    ("kerberos.canonicalizeHostNames", Property, LenientBool, P3, NotYet, "false",
        "member names are resolved when they are read");
    ("kerberos.minReLoginTimeMs", Property, LenientLong, P3, NotYet, "60000",
        "ms between two logins");
    ("security.auth_to_local", Property, Text, P3, NotYet, "DEFAULT",
        "rules that make ids of Kerberos principals");
    ("requireKerberosConfig", Property, LenientBool, P3, NotYet, "false",
        "Kerberos must be configured");
    ("server.realm", Property, Text, P3, NotYet, "",
        "Kerberos realm of the servers");
    ("kinit", Property, Path, P3, NotYet, "",
        "program that renews tickets");
    ("IPAuthenticationProvider.usexforwardedfor", Property, LenientBool, P3, NotYet, "false",
        "the admin server takes the client's address from X-Forwarded-For");
    ("java.security.auth.login.config", Bare, Path, P3, NoEffect, "",
        "JAAS file of the Java machine");
    ("java.security.krb5.conf", Bare, Path, P3, NoEffect, "",
        "Kerberos file of the Java machine");
    ("sun.security.jgss.native", Bare, LenientBool, P3, NoEffect, "false",
        "Kerberos library of the Java machine");
};
