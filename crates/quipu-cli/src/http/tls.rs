//! TLS for sockets that are asked to have it: certificates, keys, the handshake, and words about one that fails.
//!
//! The certificate is checked when the server starts, so that nobody has to learn from a client that it has expired. Not here: what is spoken
//! on an encrypted connection (`conversation`), and making certificates (`commands::tls`).

use crate::output::WrongCommandLine;
use anyhow::{Context, Result};
use clap::Args;
use rustls_pki_types::pem::{Error as PemError, PemObject, SectionKind};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::client::verify_server_cert_signed_by_trust_anchor;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use tokio_rustls::rustls::{AlertDescription, CertificateError, Error, InconsistentKeys, RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;

/// How long a handshake may take from its first byte.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// A certificate that expires within this time is told.
const SOON: Duration = Duration::from_secs(14 * 24 * 3_600);
/// The first byte of every TLS connection: a record of the handshake.
const FIRST: u8 = 0x16;

/// The files of a server with TLS.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct TlsFiles {
    /// Receive over TLS with this certificate (PEM, followed by the certificates that lead to its authority). `quipu tls init` makes one
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The private key of the certificate (PEM, not encrypted)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Only accept clients with a certificate that is in this file or signed by one that is (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_client_ca: Option<PathBuf>,
}

/// What a server with TLS needs.
#[derive(Clone)]
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    /// What is to be said about the certificate.
    note: Option<String>,
    knows_clients: bool,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls(…)")
    }
}

/// What became of a connection to a socket with TLS.
pub(super) enum Begun {
    Encrypted(Box<TlsStream<TcpStream>>),
    /// The client does not speak TLS. Nothing of what it sent was read.
    Plain(TcpStream),
    /// The connection can't be used; why, if there is a reason.
    Failed(Option<String>),
}

impl TlsFiles {
    /// Reads the files, if there are any.
    ///
    /// # Errors
    /// If one can't be used: a sentence that says which, and why.
    pub(crate) fn read(&self) -> Result<Option<Tls>> {
        let (Some(cert), Some(key)) = (&self.tls_cert, &self.tls_key) else { return Ok(None) };
        let provider = Arc::new(ring::default_provider());
        let chain = certificates("--tls-cert", cert)?;
        let note = check(cert, &chain, &provider)?;
        let secret = private_key(key)?;
        let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
        let builder = match &self.tls_client_ca {
            Some(path) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates("--tls-client-ca", path)? {
                    roots.add(certificate).map_err(|error| unusable("--tls-client-ca", path, &error))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                builder.with_client_cert_verifier(verifier.with_context(|| format!("--tls-client-ca {} can't be used", path.display()))?)
            }
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_single_cert(chain, secret).map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => WrongCommandLine(format!(
                "The key {} does not belong to the certificate {}. Give the one that it was made with.",
                key.display(),
                cert.display()
            )),
            other => unusable("--tls-key", key, &other),
        })?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Some(Tls { acceptor: TlsAcceptor::from(Arc::new(config)), note, knows_clients: self.tls_client_ca.is_some() }))
    }
}

impl Tls {
    /// What is to be said about the certificate at the start.
    pub(crate) fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// Whether every client has to show a certificate.
    pub(crate) fn knows_clients(&self) -> bool {
        self.knows_clients
    }

    /// Waits for what a client begins with, and shakes hands with it.
    pub(super) async fn begin(&self, stream: TcpStream, local: SocketAddr) -> Begun {
        let mut first = [0];
        // A client may connect long before it has something to send; who says nothing at all is in no hurry (`connections`).
        match stream.peek(&mut first).await {
            Ok(0) | Err(_) => return Begun::Failed(None),
            Ok(_) if first != [FIRST] => return Begun::Plain(stream),
            Ok(_) => {}
        }
        match tokio::time::timeout(HANDSHAKE, self.acceptor.accept(stream).into_fallible()).await {
            Ok(Ok(stream)) => Begun::Encrypted(Box::new(stream)),
            Ok(Err((error, stream))) => {
                let_go(stream).await;
                Begun::Failed(Some(words(&error, local)))
            }
            Err(_) => Begun::Failed(Some(format!("began TLS with {local} and did not go on within {} seconds.", HANDSHAKE.as_secs()))),
        }
    }
}

/// Closes a connection so that its client can read why: what it still sends is read, because the system would otherwise drop what was sent.
async fn let_go(mut stream: TcpStream) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    const MOST: usize = 64 << 10;
    let rest = async {
        let (mut buffer, mut read) = ([0; 4_096], 0);
        stream.shutdown().await?;
        while read < MOST {
            match stream.read(&mut buffer).await? {
                0 => break,
                more => read += more,
            }
        }
        std::io::Result::Ok(())
    };
    // It is closed in any case.
    let _ = tokio::time::timeout(Duration::from_secs(1), rest).await;
}

/// What to say about a handshake that failed. The sentence has no subject.
fn words(error: &std::io::Error, local: SocketAddr) -> String {
    let distrust = |why: &str| {
        format!(
            "does not accept the certificate of {local} ({why}): set OTEL_EXPORTER_OTLP_CERTIFICATE there to the file of --tls-cert, or to that of its authority, and use a name in the endpoint that the certificate has."
        )
    };
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match cause {
        Some(Error::AlertReceived(alert)) => match alert {
            AlertDescription::UnknownCA => distrust("unknown authority"),
            AlertDescription::BadCertificate | AlertDescription::CertificateUnknown => distrust("it did not say more"),
            AlertDescription::CertificateExpired => distrust("expired"),
            AlertDescription::UnsupportedCertificate => distrust("unsupported"),
            // It knows a certificate of this name, with another key.
            AlertDescription::DecryptError => distrust("another one of this name is expected"),
            other => format!("ended the TLS handshake with {local} ({other:?})."),
        },
        Some(Error::NoCertificatesPresented) => format!(
            "sent no certificate to {local}, which --tls-client-ca asks for: set OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY there."
        ),
        Some(Error::InvalidCertificate(why)) => {
            let why = match why {
                CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                    "it is not signed by a certificate of that file".to_owned()
                }
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired".to_owned(),
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "it is not valid yet".to_owned(),
                CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                    "it is not made for clients".to_owned()
                }
                other => other.to_string(),
            };
            format!("sent a certificate to {local} that --tls-client-ca does not allow: {why}.")
        }
        Some(other) => format!("began TLS with {local}, which failed: {other}."),
        // A client that says nothing about its reason.
        None if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            format!("began TLS with {local} and hung up. If it does not trust the certificate, set OTEL_EXPORTER_OTLP_CERTIFICATE there.")
        }
        None => format!("began TLS with {local}, which failed: {error}."),
    }
}

/// Reads all certificates of a file.
fn certificates(flag: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let bytes = read(flag, path)?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let found = read.map_err(|error| damaged(flag, path, &error))?;
    if !found.is_empty() {
        return Ok(found);
    }
    let instead = match PrivateKeyDer::from_pem_slice(&bytes) {
        Ok(_) => " It contains a private key; was it exchanged with the certificate?",
        Err(_) => "",
    };
    let words = format!("{flag} {} contains no certificate in PEM (“-----BEGIN CERTIFICATE-----”).{instead}", path.display());
    Err(WrongCommandLine(words).into())
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>> {
    const FLAG: &str = "--tls-key";
    let bytes = read(FLAG, path)?;
    match PrivateKeyDer::from_pem_slice(&bytes) {
        Ok(key) => Ok(key),
        Err(PemError::NoItemsFound) => {
            let name = path.display();
            let sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(&bytes).flatten().count();
            let words = if String::from_utf8_lossy(&bytes).contains("BEGIN ENCRYPTED PRIVATE KEY") {
                format!("The key {name} is encrypted with a password. Write it without one, for example with `openssl pkey`.")
            } else if sections > 0 {
                format!("{FLAG} {name} contains no private key; was it exchanged with the certificate?")
            } else {
                format!("{FLAG} {name} contains no private key in PEM (“-----BEGIN PRIVATE KEY-----”).")
            };
            Err(WrongCommandLine(words).into())
        }
        Err(error) => Err(damaged(FLAG, path, &error).into()),
    }
}

fn read(flag: &str, path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("{flag} {} can't be read", path.display()))
}

fn damaged(flag: &str, path: &Path, error: &PemError) -> WrongCommandLine {
    WrongCommandLine(format!("{flag} {} is not valid PEM: {error}.", path.display()))
}

fn unusable(flag: &str, path: &Path, error: &Error) -> WrongCommandLine {
    WrongCommandLine(format!("{flag} {} can't be used: {error}.", path.display()))
}

/// Checks the certificate of the server itself, the first one. Returns what is to be said about it.
fn check(path: &Path, chain: &[CertificateDer<'static>], provider: &CryptoProvider) -> Result<Option<String>> {
    let name = path.display();
    let Some(own) = chain.first() else { return Ok(None) };
    let parsed = ParsedCertificate::try_from(own).map_err(|error| unusable("--tls-cert", path, &error))?;
    let date = |time: UnixTime| {
        let time = i64::try_from(time.as_secs()).ok().and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
        time.map_or_else(|| "an unknown day".to_owned(), |time| time.date().to_string())
    };
    // Without any authority, everything is said that is wrong with the certificate itself before that.
    let wrong_at = |time: UnixTime| {
        let algorithms = provider.signature_verification_algorithms.all;
        match verify_server_cert_signed_by_trust_anchor(&parsed, &RootCertStore::empty(), &[], time, algorithms) {
            Err(Error::InvalidCertificate(why)) => Some(why),
            _ => None,
        }
    };
    let now = UnixTime::now();
    let refused = match wrong_at(now) {
        Some(CertificateError::ExpiredContext { not_after, .. }) => {
            format!("The certificate {name} has expired on {}. `quipu tls init` makes a new pair.", date(not_after))
        }
        Some(CertificateError::NotValidYetContext { not_before, .. }) => {
            format!("The certificate {name} is not valid before {}.", date(not_before))
        }
        Some(CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. }) => {
            format!("The certificate {name} is not made for servers (its extended key usage lacks serverAuth).")
        }
        _ => {
            let soon = UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs()) + SOON);
            return Ok(match wrong_at(soon) {
                Some(CertificateError::ExpiredContext { not_after, .. }) => {
                    Some(format!("The certificate {name} expires on {}.", date(not_after)))
                }
                _ => None,
            });
        }
    };
    Err(WrongCommandLine(refused).into())
}
