//! Chapter 7.6: TLS, once for clients (`ssl.`) and once for the quorum (`ssl.quorum.`).
//!
//! The admin server uses the quorum's set.

use super::Key;
use super::Kind::{Int, JavaOnly, LenientBool, OneOf, Path, Text, Words};
use super::State::{NoEffect, NotYet};

const STORES: &[&str] = &["JKS", "PEM", "PKCS12", "BCFKS"];

pub(super) const KEYS: &[Key] = super::rows! { "7.6":
    // Client ports.
    ("ssl.keyStore.location", Property, Path, P1, NotYet, "",
        "file of the own key and certificates");
    ("ssl.keyStore.password", Property, Text, P1, NotYet, "",
        "password of that file");
    ("ssl.keyStore.passwordPath", Property, Path, P1, NotYet, "",
        "file that holds that password; wins over the password");
    ("ssl.keyStore.type", Property, OneOf(STORES), P1, NotYet, "",
        "form of that file; by its extension if not set");
    ("ssl.trustStore.location", Property, Path, P1, NotYet, "",
        "file of the certificates that are trusted");
    ("ssl.trustStore.password", Property, Text, P1, NotYet, "",
        "password of that file");
    ("ssl.trustStore.passwordPath", Property, Path, P1, NotYet, "",
        "file that holds that password; wins over the password");
    ("ssl.trustStore.type", Property, OneOf(STORES), P1, NotYet, "",
        "form of that file; by its extension if not set");
    ("ssl.protocol", Property, Text, P1, NotYet, "TLSv1.3",
        "TLS version");
    ("ssl.enabledProtocols", Property, Words, P1, NotYet, "",
        "TLS versions that are spoken");
    ("ssl.ciphersuites", Property, Words, P2, NotYet, "",
        "cipher suites by their JSSE names");
    ("ssl.clientAuth", Property, OneOf(&["none", "want", "need"]), P1, NotYet, "need",
        "whether the connecting side must show a certificate");
    ("ssl.hostnameVerification", Property, LenientBool, P1, NotYet, "true",
        "check the host name of the accepting side");
    ("ssl.clientHostnameVerification", Property, LenientBool, P2, NotYet, "false",
        "check the host name of the connecting side");
    ("ssl.allowReverseDnsLookup", Property, LenientBool, P3, NotYet, "false",
        "ask DNS for the host name of an address");
    ("ssl.crl", Property, LenientBool, P2, NotYet, "false",
        "check certificates against revocation lists");
    ("ssl.ocsp", Property, LenientBool, P3, NotYet, "false",
        "ask the issuer whether certificates are revoked");
    ("ssl.handshakeDetectionTimeoutMillis", Property, Int, P3, NotYet, "5000",
        "ms in which TLS or plaintext must show; at least 1");
    ("ssl.context.supplier.class", Property, JavaOnly, P3, NotYet, "",
        "Java class that makes the TLS context");
    // Quorum and election ports, and the admin server.
    ("ssl.quorum.keyStore.location", Property, Path, P1, NotYet, "",
        "file of the own key and certificates");
    ("ssl.quorum.keyStore.password", Property, Text, P1, NotYet, "",
        "password of that file");
    ("ssl.quorum.keyStore.passwordPath", Property, Path, P1, NotYet, "",
        "file that holds that password; wins over the password");
    ("ssl.quorum.keyStore.type", Property, OneOf(STORES), P1, NotYet, "",
        "form of that file; by its extension if not set");
    ("ssl.quorum.trustStore.location", Property, Path, P1, NotYet, "",
        "file of the certificates that are trusted");
    ("ssl.quorum.trustStore.password", Property, Text, P1, NotYet, "",
        "password of that file");
    ("ssl.quorum.trustStore.passwordPath", Property, Path, P1, NotYet, "",
        "file that holds that password; wins over the password");
    ("ssl.quorum.trustStore.type", Property, OneOf(STORES), P1, NotYet, "",
        "form of that file; by its extension if not set");
    ("ssl.quorum.protocol", Property, Text, P1, NotYet, "TLSv1.3",
        "TLS version");
    ("ssl.quorum.enabledProtocols", Property, Words, P1, NotYet, "TLSv1.3,TLSv1.2",
        "TLS versions that are spoken");
    ("ssl.quorum.ciphersuites", Property, Words, P2, NotYet, "",
        "cipher suites by their JSSE names");
    ("ssl.quorum.clientAuth", Property, OneOf(&["none", "want", "need"]), P1, NotYet, "need",
        "whether the connecting side must show a certificate");
    ("ssl.quorum.hostnameVerification", Property, LenientBool, P1, NotYet, "true",
        "check the host name of the accepting side");
    ("ssl.quorum.clientHostnameVerification", Property, LenientBool, P2, NotYet, "true",
        "check the host name of the connecting side");
    ("ssl.quorum.allowReverseDnsLookup", Property, LenientBool, P3, NotYet, "true",
        "ask DNS for the host name of an address");
    ("ssl.quorum.crl", Property, LenientBool, P2, NotYet, "false",
        "check certificates against revocation lists");
    ("ssl.quorum.ocsp", Property, LenientBool, P3, NotYet, "false",
        "ask the issuer whether certificates are revoked");
    ("ssl.quorum.handshakeDetectionTimeoutMillis", Property, Int, P3, NotYet, "5000",
        "ms in which TLS or plaintext must show; at least 1");
    ("ssl.quorum.context.supplier.class", Property, JavaOnly, P3, NotYet, "",
        "Java class that makes the TLS context");
    // Both.
    ("ssl.sslProvider", Property, Text, P3, NoEffect, "JDK",
        "TLS library of Java");
    ("client.portUnification", Property, LenientBool, P2, NotYet, "false",
        "the plaintext client port takes TLS too");
    ("client.certReload", Property, LenientBool, P2, NotYet, "false",
        "reload the client stores when they change");
    ("fips-mode", Property, LenientBool, P2, NotYet, "true",
        "Java's own trust manager; without host name checks on quorum links");
};
