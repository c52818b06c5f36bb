//! Sends OTLP requests over HTTP and reads the collector's response.

use super::backoff::Backoff;
use super::settings::Settings;
use crate::setting::ConfigError;
use quipu_otlp::{ExportAnswer, one_line, status_message};
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::time::{Duration, SystemTime};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

/// Maximum bytes read of a response.
const LONGEST_ANSWER: u64 = 1 << 20;
/// Maximum characters of a server message in an error.
const LONGEST_QUOTE: usize = 300;

const PROTOBUF: &str = "application/x-protobuf";

/// Sends requests of one signal to one endpoint, one at a time, over a persistent connection.
pub struct Client {
    agent: ureq::Agent,
    settings: Settings,
}

/// A request that was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct SendError {
    /// The reason, as a sentence that names the endpoint.
    pub why: String,
    /// Whether the request may be accepted later.
    pub retry: Retry,
}

/// Whether to retry a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Retrying is pointless.
    Never,
    /// Retry, after the delay given by the server, if any.
    After(Option<Duration>),
}

impl Client {
    /// Loads the certificates named in the settings. Does not connect.
    ///
    /// # Errors
    /// [`ConfigError`] if a file can't be read, or the proxy URL is invalid.
    pub fn new(settings: Settings) -> Result<Client, ConfigError> {
        let mut tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier);
        if let Some(path) = &settings.certificate {
            let (certificates, _) = pem("OTEL_EXPORTER_OTLP_CERTIFICATE", path)?;
            tls = tls.root_certs(RootCerts::new_with_certs(&certificates));
        }
        if let Some((certificate, key)) = &settings.client_certificate {
            let (chain, _) = pem("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", certificate)?;
            let (_, Some(key)) = pem("OTEL_EXPORTER_OTLP_CLIENT_KEY", key)? else {
                return Err(unreadable("OTEL_EXPORTER_OTLP_CLIENT_KEY", key, "it holds no private key in PEM"));
            };
            tls = tls.client_cert(Some(ClientCert::new_with_certs(&chain, key)));
        }
        let proxy = settings.proxy.as_deref().map(|address| {
            let wrong = format!("is “{address}”; it must be a URL such as http://proxy:3128");
            ureq::Proxy::new(address).map_err(|_| ConfigError { field: "The proxy".into(), wrong })
        });
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(settings.timeout))
            // Error responses have a body with the reason.
            .http_status_as_error(false)
            // Headers may contain secrets, which are only meant for this endpoint.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("Quipu-OTLP-Exporter/", env!("CARGO_PKG_VERSION")))
            .proxy(proxy.transpose()?)
            .tls_config(tls.build())
            .build();
        Ok(Client { agent: config.new_agent(), settings })
    }

    /// The URL that requests are sent to.
    pub fn url(&self) -> &str {
        &self.settings.url
    }

    /// Sends an encoded `Export…ServiceRequest` once.
    ///
    /// # Errors
    /// [`SendError`] if the request was not accepted, as far as can be known.
    pub fn send_once(&self, request: &[u8]) -> Result<ExportAnswer, SendError> {
        self.post(PROTOBUF, request)
    }

    fn post(&self, content_type: &str, request: &[u8]) -> Result<ExportAnswer, SendError> {
        let mut post = self.agent.post(&self.settings.url).header("content-type", content_type);
        for (name, value) in &self.settings.headers {
            post = post.header(name, value);
        }
        let sent =
            if self.settings.gzip { post.header("content-encoding", "gzip").send(gzip(request).as_slice()) } else { post.send(request) };
        let mut answer = sent.map_err(|error| self.unreachable(&error))?;
        let (status, headers) = (answer.status(), answer.headers());
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kind = header("content-type").to_ascii_lowercase();
        let pause = pause_asked(header("retry-after"), SystemTime::now());
        let body = answer.body_mut().with_config().limit(LONGEST_ANSWER).read_to_vec();
        let is_json = kind.contains("json");
        if status.is_success() {
            // The request was accepted, whatever happened to the response.
            return Ok(ExportAnswer::read(&body.unwrap_or_default(), is_json));
        }
        let body = body.unwrap_or_default();
        let words = if is_json || kind.contains("protobuf") {
            status_message(&body, is_json)
        } else if kind.starts_with("text/plain") {
            one_line(&String::from_utf8_lossy(&body))
        } else {
            None
        };
        let words = words.filter(|words| status.canonical_reason() != Some(words));
        let mut why = format!("{} answered {status}", self.url());
        if let Some(words) = words {
            why += &format!(": {}", words.chars().take(LONGEST_QUOTE).collect::<String>());
        }
        if !why.ends_with(['.', '!', '?']) {
            why.push('.');
        }
        let retry = if matches!(status.as_u16(), 429 | 502 | 503 | 504) { Retry::After(pause) } else { Retry::Never };
        Err(SendError { why, retry })
    }

    /// Sends a request until it is accepted or permanently rejected, or until `wait` returns `false`. `wait` gets the delay and the error
    /// of the last attempt, and sleeps.
    ///
    /// # Errors
    /// The error of the last attempt.
    pub fn send(&self, request: &[u8], wait: &mut dyn FnMut(Duration, &SendError) -> bool) -> Result<ExportAnswer, SendError> {
        self.send_as(PROTOBUF, request, wait)
    }

    /// Like [`send`](Client::send), with the given content type: requests received as JSON are forwarded as JSON.
    ///
    /// # Errors
    /// The error of the last attempt.
    pub fn send_as(
        &self,
        content_type: &str,
        request: &[u8],
        wait: &mut dyn FnMut(Duration, &SendError) -> bool,
    ) -> Result<ExportAnswer, SendError> {
        let mut backoff = Backoff::default();
        loop {
            let error = match self.post(content_type, request) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let Retry::After(asked) = error.retry else { return Err(error) };
            if !wait(backoff.next_pause(asked), &error) {
                return Err(error);
            }
        }
    }

    fn unreachable(&self, error: &ureq::Error) -> SendError {
        let url = self.url();
        let (why, again) = match error {
            ureq::Error::Timeout(_) => (format!("{url} did not answer within {:?}.", self.settings.timeout), true),
            ureq::Error::HostNotFound => (format!("The host of {url} can't be resolved."), true),
            // TLS errors, such as an invalid certificate, are permanent.
            ureq::Error::Io(error) if error.kind() == ErrorKind::InvalidData => (format!("{url} can't be used ({error})."), false),
            ureq::Error::Io(error) => (format!("{url} can't be reached ({error})."), true),
            ureq::Error::ConnectionFailed => (format!("{url} can't be reached."), true),
            ureq::Error::Protocol(error) => (format!("{url} does not speak HTTP ({error})."), false),
            other => (format!("{url} can't be used ({other})."), false),
        };
        SendError { why, retry: if again { Retry::After(None) } else { Retry::Never } }
    }
}

/// The certificates and the last private key of a PEM file.
fn pem(field: &str, path: &Path) -> Result<(Vec<Certificate<'static>>, Option<PrivateKey<'static>>), ConfigError> {
    let bytes = std::fs::read(path).map_err(|error| unreadable(field, path, &error.to_string()))?;
    let (mut certificates, mut key) = (Vec::new(), None);
    for item in parse_pem(&bytes) {
        match item.map_err(|error| unreadable(field, path, &error.to_string()))? {
            PemItem::Certificate(certificate) => certificates.push(certificate),
            PemItem::PrivateKey(found) => key = Some(found),
            _ => {}
        }
    }
    if certificates.is_empty() && key.is_none() {
        return Err(unreadable(field, path, "it holds no PEM"));
    }
    Ok((certificates, key))
}

fn unreadable(field: &str, path: &Path, why: &str) -> ConfigError {
    ConfigError { field: field.to_owned(), wrong: format!("names {}, which can't be used ({why})", path.display()) }
}

fn gzip(request: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    // Writing to a vector can't fail.
    let _ = packed.write_all(request);
    packed.finish().unwrap_or_default()
}

/// Parses a `Retry-After` header: seconds, or an HTTP date.
fn pause_asked(text: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = SystemTime::from(jiff::fmt::rfc2822::parse(text.trim()).ok()?.timestamp());
    Some(at.duration_since(now).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_asked_for_in_seconds_or_by_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777 - 20);
        assert_eq!(pause_asked("120", now), Some(Duration::from_secs(120)));
        assert_eq!(pause_asked("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(Duration::from_secs(20)));
        assert_eq!(pause_asked("Sun, 06 Nov 1994 08:49:00 GMT", now), Some(Duration::ZERO), "it has passed");
        assert_eq!(pause_asked("", now), None);
        assert_eq!(pause_asked("soon", now), None);
    }
}
