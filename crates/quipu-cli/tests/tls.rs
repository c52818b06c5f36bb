//! `quipu collect` over TLS, and the certificates of `quipu tls init`.

use crate::support::{Answer, Collecting, JSON, answer, count, fresh, quipu};
use crate::surroundings::span;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use quipu_tests::Scratch;
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

/// The files of a pair.
struct Pair {
    cert: PathBuf,
    key: PathBuf,
}

impl Pair {
    /// A pair of `quipu tls init`.
    fn init(folder: &Path) -> Pair {
        let output = quipu().args(["tls", "init"]).arg(folder).output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Pair { cert: folder.join("quipu-cert.pem"), key: folder.join("quipu-key.pem") }
    }

    fn write(folder: &Scratch, name: &str, cert: &str, key: &str) -> Pair {
        let write = |ending: &str, text: &str| folder.write(&format!("{name}-{ending}.pem"), text).expect("a file");
        Pair { cert: write("cert", cert), key: write("key", key) }
    }

    fn pem(&self) -> String {
        std::fs::read_to_string(&self.cert).expect("a certificate")
    }

    fn flags(&self) -> [&str; 4] {
        ["--tls-cert", self.cert.to_str().expect("text"), "--tls-key", self.key.to_str().expect("text")]
    }

    fn identity(&self) -> Identity {
        Identity::from_pem(self.pem(), std::fs::read_to_string(&self.key).expect("a key"))
    }
}

/// A certificate that is signed by itself, with something changed.
fn signs_itself(change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
    let mut params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).expect("names");
    change(&mut params);
    let key = KeyPair::generate().expect("a key");
    (params.self_signed(&key).expect("a certificate").pem(), key.serialize_pem())
}

/// A request by HTTP/1.1 over TLS with the client of rustls, which trusts one certificate.
fn post(collecting: &Collecting, trusted: &str, own: Option<&Pair>, body: &[u8]) -> std::io::Result<Answer> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(trusted.as_bytes()) {
        roots.add(certificate.expect("a certificate")).expect("an authority");
    }
    let builder = ClientConfig::builder().with_root_certificates(roots);
    let config = match own {
        Some(pair) => {
            let chain = CertificateDer::pem_file_iter(&pair.cert).expect("a file").collect::<Result<_, _>>().expect("certificates");
            builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(&pair.key).expect("a key")).expect("a pair")
        }
        None => builder.with_no_client_auth(),
    };
    let connection = ClientConnection::new(Arc::new(config), ServerName::from(collecting.address.ip())).expect("a client");
    let stream = TcpStream::connect(collecting.address)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut stream = StreamOwned::new(connection, stream);
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        collecting.address,
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let status = text.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status");
    Ok(Answer { status, headers: Vec::new(), body: bytes })
}

/// A call by gRPC with the client of tonic. HTTP/2 is chosen in the handshake.
fn call(collecting: &Collecting, tls: ClientTlsConfig, id: u8) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let span = Span { trace_id: vec![id; 16], span_id: vec![id; 8], name: "a step".into(), ..Span::default() };
    let scope = ScopeSpans { spans: vec![span], ..ScopeSpans::default() };
    let request =
        ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans: vec![scope], ..ResourceSpans::default() }] };
    let endpoint = Endpoint::from_shared(format!("https://{}", collecting.address)).expect("an address").tls_config(tls).expect("TLS");
    runtime.block_on(async {
        let channel = endpoint.connect().await.map_err(|error| format!("{error:?}"))?;
        TraceServiceClient::new(channel).export(request).await.map(|_| ()).map_err(|status| format!("{status:?}"))
    })
}

fn trusting(pem: &str) -> ClientTlsConfig {
    ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem))
}

#[test]
fn a_pair_is_made_once_for_this_user_and_serves_both_protocols() {
    let (folder, db) = fresh();
    let pair = Pair::init(folder.path());
    let mode = std::fs::metadata(&pair.key).expect("a key").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = pair.pem();
    let again = quipu().args(["tls", "init"]).arg(folder.path()).output().expect("it runs");
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("is there already and is not overwritten"));
    assert_eq!(before, pair.pem());

    let collecting = Collecting::start(&db, &pair.flags());
    assert_eq!(post(&collecting, &before, None, &span(1, "a step")).expect("TLS").status, 200);
    call(&collecting, trusting(&before), 2).expect("it is taken");
    call(&collecting, trusting(&before).domain_name("localhost"), 3).expect("it is taken");
    assert_eq!(count(&db, "SELECT count(*) FROM spans"), 3);
    // The name is checked by the client.
    assert!(call(&collecting, trusting(&before).domain_name("collector.example.org"), 4).is_err());
    collecting.end();

    let other = folder.path().join("other");
    let named = quipu().args(["tls", "init", "--name", "collector.example.org"]).arg(&other).output().expect("it runs");
    let said = String::from_utf8_lossy(&named.stdout).into_owned();
    for words in ["OTEL_EXPORTER_OTLP_ENDPOINT=https://", "OTEL_EXPORTER_OTLP_CERTIFICATE=", "--tls-key"] {
        assert!(said.contains(words), "{said}");
    }
    let pair = Pair { cert: other.join("quipu-cert.pem"), key: other.join("quipu-key.pem") };
    let (_folder, db) = fresh();
    let collecting = Collecting::start(&db, &pair.flags());
    call(&collecting, trusting(&pair.pem()).domain_name("collector.example.org"), 5).expect("the certificate has the name");
    let wrong = quipu().args(["tls", "init", "--name", "https://x"]).arg(folder.path().join("third")).output().expect("it runs");
    assert!(wrong.status.code() == Some(2) && !folder.path().join("third").exists());
}

#[test]
fn clients_that_do_not_trust_the_certificate_are_told_about() {
    let (folder, db) = fresh();
    let pair = Pair::init(folder.path());
    let other = Pair::init(&folder.path().join("other"));
    let mut collecting = Collecting::start(&db, &pair.flags());
    assert!(call(&collecting, trusting(&other.pem()), 1).is_err());
    let said = collecting.says();
    let to = collecting.address;
    assert!(said.contains(&format!("127.0.0.1 does not accept the certificate of {to}")), "{said}");
    assert!(said.contains("OTEL_EXPORTER_OTLP_CERTIFICATE"), "{said}");
    assert!(post(&collecting, &other.pem(), None, &span(1, "a step")).is_err());
    call(&collecting, trusting(&pair.pem()), 2).expect("it is taken");
    collecting.end();
    assert_eq!(count(&db, "SELECT count(*) FROM spans"), 1);
}

#[test]
fn client_certificates_are_asked_for_and_checked() {
    let (folder, db) = fresh();
    let pair = Pair::init(folder.path());
    // An authority with two clients, of which one is only made for servers, and a client that signs itself.
    let authority_key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key).expect("a certificate").pem();
    let issuer = Issuer::new(params, authority_key);
    let signed = |purpose| {
        let mut params = CertificateParams::new(vec!["agent".to_owned()]).expect("names");
        params.extended_key_usages = vec![purpose];
        let key = KeyPair::generate().expect("a key");
        (params.signed_by(&key, &issuer).expect("a certificate").pem(), key.serialize_pem())
    };
    let (cert, key) = signed(ExtendedKeyUsagePurpose::ClientAuth);
    let client = Pair::write(&folder, "client", &cert, &key);
    let (cert, key) = signed(ExtendedKeyUsagePurpose::ServerAuth);
    let no_client = Pair::write(&folder, "no-client", &cert, &key);
    let own = Pair::init(&folder.path().join("own"));
    let stranger = Pair::init(&folder.path().join("stranger"));
    let known = folder.write("known.pem", authority + &own.pem()).expect("a file");

    let flags = [&pair.flags()[..], &["--tls-client-ca", known.to_str().expect("text")]].concat();
    let mut collecting = Collecting::start(&db, &flags);
    let trusted = pair.pem();
    for (at, pair) in [&client, &own].into_iter().enumerate() {
        call(&collecting, trusting(&trusted).identity(pair.identity()), at as u8 + 1).expect("it is taken");
        assert_eq!(post(&collecting, &trusted, Some(pair), &span(at as u32, "a step")).expect("TLS").status, 200);
    }
    for (pair, words) in [
        (None, "which --tls-client-ca asks for: set OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"),
        (Some(&stranger), "that --tls-client-ca does not allow: it is not signed by a certificate of that file"),
        (Some(&no_client), "that --tls-client-ca does not allow: it is not made for clients"),
    ] {
        let tls = pair.map_or(trusting(&trusted), |pair| trusting(&trusted).identity(pair.identity()));
        assert!(call(&collecting, tls, 9).is_err(), "{words}");
        let said = collecting.says();
        assert!(said.contains(words), "{said}");
        // In TLS 1.3 the client has finished its handshake when it is refused; it still learns why.
        let refused = post(&collecting, &trusted, pair, &span(9, "a step")).expect_err(words).to_string();
        assert!(refused.contains("alert"), "{refused}");
    }
    collecting.end();
    assert_eq!(count(&db, "SELECT count(*) FROM spans"), 4);
}

#[test]
fn what_is_not_encrypted_is_answered_told_and_counted() {
    let (folder, db) = fresh();
    let pair = Pair::init(folder.path());
    let mut collecting = Collecting::start(&db, &pair.flags());
    let to = collecting.address;
    let refused = collecting.post("/v1/traces", &[JSON], &span(1, "a step"));
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains(&format!("This port requires TLS: set the endpoint to https://{to}.")), "{}", refused.text());
    let said = collecting.says();
    assert!(said.starts_with(&format!("127.0.0.1 sends to {to} without TLS")) && said.contains(&format!("https://{to}")), "{said}");
    // The same over gRPC, which the client shows as the message of a status.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let status = runtime.block_on(async {
        let channel = Endpoint::from_shared(format!("http://{to}")).expect("an address").connect().await.expect("it listens");
        TraceServiceClient::new(channel).export(ExportTraceServiceRequest::default()).await.expect_err("not encrypted")
    });
    assert!(status.code() == tonic::Code::InvalidArgument && status.message().contains("requires TLS"), "{status:?}");
    // What is neither.
    let mut stream = TcpStream::connect(to).expect("it listens");
    stream.write_all(b"hello").expect("sent");
    stream.shutdown(std::net::Shutdown::Write).expect("shut");
    let _ = stream.read_to_end(&mut Vec::new());
    let said = collecting.says();
    assert!(said.contains("neither HTTP nor gRPC") && said.contains(&format!("the endpoint https://{to}")), "{said}");
    // A connection that says nothing, as port scanners and load balancers open them, is not worth a word.
    drop(TcpStream::connect(to).expect("it listens"));
    let page = metrics(&collecting, &pair.pem());
    for (reason, expected) in [("plaintext", 2), ("protocol", 1), ("handshake", 0)] {
        let line = format!("quipu_collect_unusable_connections_total{{reason=\"{reason}\"}} {expected}\n");
        assert!(page.contains(&line), "{line}{page}");
    }
    assert_eq!(collecting.end().lines().filter(|line| line.contains("without TLS")).count(), 0, "said once");
    assert_eq!(count(&db, "SELECT count(*) FROM spans"), 0);
}

/// The page of counters, over TLS.
fn metrics(collecting: &Collecting, trusted: &str) -> String {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.as_bytes()).expect("a certificate")).expect("an authority");
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), ServerName::from(collecting.address.ip())).expect("a client");
    let mut stream = StreamOwned::new(connection, TcpStream::connect(collecting.address).expect("it listens"));
    let head = format!("GET /metrics HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", collecting.address);
    stream.write_all(head.as_bytes()).expect("sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("a page");
    text
}

#[test]
fn a_handshake_that_does_not_go_on_ends_and_keeps_nobody_out() {
    let (folder, db) = fresh();
    let pair = Pair::init(folder.path());
    let mut collecting = Collecting::start(&db, &pair.flags());
    let begun = Instant::now();
    // As many as an address may have, each with the first bytes of a ClientHello.
    let mut stalled: Vec<TcpStream> = (0..256).map(|_| TcpStream::connect(collecting.address).expect("it listens")).collect();
    stalled.iter_mut().for_each(|stream| stream.write_all(b"\x16\x03\x01\x02\x00\x01").expect("sent"));
    assert_eq!(post(&collecting, &pair.pem(), None, &span(1, "a step")).expect("one gives way").status, 200);
    let said = collecting.says();
    assert!(said.contains("did not go on within 10 seconds"), "{said}");
    assert!(begun.elapsed() > Duration::from_secs(9), "{:?}", begun.elapsed());
    for stream in &mut stalled {
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
        let read = stream.read(&mut [0; 16]);
        let is_closed = match &read {
            Ok(count) => *count == 0,
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        };
        assert!(is_closed, "{read:?}");
    }
    collecting.end();
}

#[test]
fn files_that_cannot_be_used_are_told_at_the_start() {
    let (folder, db) = fresh();
    let pair = Pair::init(folder.path());
    let other = Pair::init(&folder.path().join("other"));
    let dated = |change: fn(&mut CertificateParams)| signs_itself(change);
    let (cert, key) = dated(|params| params.not_after = rcgen::date_time_ymd(2020, 1, 2));
    let expired = Pair::write(&folder, "expired", &cert, &key);
    let (cert, key) = dated(|params| params.not_before = rcgen::date_time_ymd(2999, 1, 2));
    let early = Pair::write(&folder, "early", &cert, &key);
    let (cert, key) = dated(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]);
    let client = Pair::write(&folder, "client", &cert, &key);
    let words = folder.write("words.pem", "no certificate").expect("a file");
    let cut = folder.write("cut.pem", pair.pem().replace("-----END CERTIFICATE-----", "")).expect("a file");
    let sealed =
        folder.write("sealed.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n").expect("a file");
    let nothing = folder.path().join("nothing.pem");
    for (cert, key, code, said) in [
        (&nothing, &pair.key, 1, "can't be read"),
        (&pair.cert, &nothing, 1, "can't be read"),
        (&words, &pair.key, 2, "contains no certificate in PEM"),
        (&cut, &pair.key, 2, "is not valid PEM"),
        (&pair.cert, &words, 2, "contains no private key in PEM"),
        (&pair.cert, &sealed, 2, "is encrypted with a password"),
        (&pair.key, &pair.cert, 2, "was it exchanged with the certificate?"),
        (&pair.cert, &pair.cert, 2, "was it exchanged with the certificate?"),
        (&pair.cert, &other.key, 2, "does not belong to the certificate"),
        (&expired.cert, &expired.key, 2, "has expired on 2020-01-02"),
        (&early.cert, &early.key, 2, "is not valid before 2999-01-02"),
        (&client.cert, &client.key, 2, "is not made for servers"),
    ] {
        let mut command = quipu();
        command.args(["collect", "--listen", "127.0.0.1:0", "--db"]).arg(&db).arg("--tls-cert").arg(cert).arg("--tls-key").arg(key);
        let output = command.output().expect("it runs");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(code) && stderr.contains(said), "{said}: {stderr}");
        assert!(!db.exists(), "{said}");
    }
    for flags in [vec!["--tls-cert", "x"], vec!["--tls-key", "x"], vec!["--tls-client-ca", "x"]] {
        let output = quipu().args(["collect", "--db"]).arg(&db).args(&flags).output().expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
    }
    // One that expires soon is used, and told.
    let soon = std::time::SystemTime::now() + Duration::from_secs(3 * 24 * 3_600);
    let (cert, key) = signs_itself(|params| params.not_after = soon.into());
    let soon = Pair::write(&folder, "soon", &cert, &key);
    let mut collecting = Collecting::start(&db, &soon.flags());
    let said = collecting.says();
    assert!(said.contains("soon-cert.pem expires on "), "{said}");
    collecting.end();
}

#[test]
fn answers_to_plaintext_do_not_wait_for_a_body() {
    let (folder, db) = fresh();
    let pair = Pair::init(folder.path());
    let collecting = Collecting::start(&db, &pair.flags());
    let mut stream = collecting.connect();
    let head = format!("POST /v1/traces HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: 1000000\r\n\r\n", collecting.address);
    stream.write_all(head.as_bytes()).expect("sent");
    assert_eq!(answer(stream).status, 400);
}
