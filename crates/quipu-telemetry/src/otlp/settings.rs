//! Endpoint, headers and TLS settings, from the `OTEL_EXPORTER_OTLP_…` variables of the OpenTelemetry specification.
//!
//! | variable | meaning |
//! |---|---|
//! | `OTEL_EXPORTER_OTLP_ENDPOINT` | the base URL; `/v1/traces`, `/v1/metrics`, `/v1/logs` are added. Default: `http://localhost:4318` |
//! | `…_HEADERS` | `key=value,key=value`, values percent-encoded |
//! | `…_TIMEOUT` | milliseconds for one attempt. Default: 10000 |
//! | `…_COMPRESSION` | `gzip` or `none`, the default |
//! | `…_PROTOCOL` | `http/protobuf`, the only supported protocol |
//! | `…_CERTIFICATE` | a PEM file with the certificates to trust instead of the system's |
//! | `…_CLIENT_CERTIFICATE`, `…_CLIENT_KEY` | PEM files with the client's certificate and key |
//!
//! Each has a per-signal variant, which takes precedence: `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` and so on. Per-signal endpoints are used as
//! they are. Empty variables count as unset. `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` are respected, except for this
//! machine.
//!
//! The environment is passed in as a function; `client` does the networking.

use crate::setting::{ConfigError, Lookup, error};
use quipu_otlp::Signal;
use std::path::PathBuf;
use std::time::Duration;

/// The default base URL of a collector.
pub const DEFAULT_ENDPOINT: &str = "http://localhost:4318";

/// Where and how requests of one signal are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The full URL, including the path.
    pub url: String,
    /// Headers sent with each request.
    pub headers: Vec<(String, String)>,
    /// Timeout of one attempt, from name resolution to the last byte of the response.
    pub timeout: Duration,
    /// Whether requests are compressed with gzip.
    pub gzip: bool,
    /// PEM file with trusted certificates; `None` for those of the system.
    pub certificate: Option<PathBuf>,
    /// PEM files with the client certificate and its key.
    pub client_certificate: Option<(PathBuf, PathBuf)>,
    /// URL of the proxy.
    pub proxy: Option<String>,
}

impl Settings {
    /// Reads the environment variables. The endpoint is the first of: the signal's own variable, unchanged; `configured`;
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`; the default.
    ///
    /// # Errors
    /// [`ConfigError`] for the first invalid variable, or for `configured` (as `otel_exporter_otlp_endpoint`).
    pub fn from_env(signal: Signal, configured: Option<&str>, lookup: Lookup<'_>) -> Result<Settings, ConfigError> {
        let own = variable(signal, "ENDPOINT");
        if let Some(url) = filled(lookup, &own) {
            return Settings::read(signal, checked(&own, &url)?, lookup);
        }
        let (field, base) = match configured {
            Some(base) => ("otel_exporter_otlp_endpoint", base.to_owned()),
            None => match filled(lookup, "OTEL_EXPORTER_OTLP_ENDPOINT") {
                Some(base) => ("OTEL_EXPORTER_OTLP_ENDPOINT", base),
                None => ("OTEL_EXPORTER_OTLP_ENDPOINT", DEFAULT_ENDPOINT.to_owned()),
            },
        };
        let url = below(&checked(field, &base)?, signal);
        Settings::read(signal, url, lookup)
    }

    /// Settings for an explicit endpoint, which overrides all variables; everything else comes from them. `endpoint` is a base URL; a
    /// signal path at its end is ignored. `field` names it in errors: `--endpoint`.
    ///
    /// # Errors
    /// [`ConfigError`] for the endpoint, or the first invalid variable.
    pub fn to_endpoint(signal: Signal, field: &str, endpoint: &str, lookup: Lookup<'_>) -> Result<Settings, ConfigError> {
        let url = checked(field, endpoint)?;
        let bare = url.trim_end_matches('/');
        let base = Signal::ALL.iter().find_map(|signal| bare.strip_suffix(signal.path())).unwrap_or(bare);
        Settings::read(signal, below(base, signal), lookup)
    }

    /// Adds a header, `name=value`; the value is not decoded. `field` names it in errors: `--header`.
    ///
    /// # Errors
    /// [`ConfigError`] if the header is invalid.
    pub fn add_header(&mut self, field: &str, entry: &str) -> Result<(), ConfigError> {
        let (name, value) = divided(field, entry)?;
        self.headers.push((name.to_owned(), sendable(field, name, Some(value.to_owned()))?));
        Ok(())
    }

    fn read(signal: Signal, url: String, lookup: Lookup<'_>) -> Result<Settings, ConfigError> {
        // Looks up the per-signal variable, then the general one. Returns the value and the variable's name.
        let find = |name: &str| {
            [variable(signal, name), format!("OTEL_EXPORTER_OTLP_{name}")]
                .into_iter()
                .find_map(|variable| Some((filled(lookup, &variable)?, variable)))
        };
        if let Some((protocol, name)) = find("PROTOCOL").filter(|(protocol, _)| protocol != "http/protobuf") {
            let wrong = format!("is “{protocol}”; only http/protobuf is supported, usually on port 4318");
            return Err(error(&name, wrong));
        }
        let gzip = match find("COMPRESSION") {
            None => false,
            Some((value, name)) => match value.as_str() {
                "gzip" => true,
                "none" => false,
                _ => return Err(error(&name, format!("is “{value}”; allowed are gzip and none"))),
            },
        };
        let timeout = match find("TIMEOUT") {
            None => 10_000,
            Some((value, name)) => {
                let millis = value.parse().ok().filter(|millis| *millis > 0);
                millis.ok_or_else(|| error(&name, format!("is “{value}”; it must be a whole number of milliseconds above 0")))?
            }
        };
        let headers = find("HEADERS").map_or(Ok(Vec::new()), |(value, name)| read_headers(&name, &value))?;
        let path = |name: &str| find(name).map(|(path, _)| PathBuf::from(path));
        let client_certificate = match (find("CLIENT_CERTIFICATE"), find("CLIENT_KEY")) {
            (Some((certificate, _)), Some((key, _))) => Some((certificate.into(), key.into())),
            (None, None) => None,
            (Some((_, name)), None) => return Err(error(&name, "is set without the key; set OTEL_EXPORTER_OTLP_CLIENT_KEY too")),
            (None, Some((_, name))) => {
                return Err(error(&name, "is set without the certificate; set OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE too"));
            }
        };
        Ok(Settings {
            headers,
            timeout: Duration::from_millis(timeout),
            gzip,
            certificate: path("CERTIFICATE"),
            client_certificate,
            proxy: proxy(&url, lookup),
            url,
        })
    }
}

fn variable(signal: Signal, name: &str) -> String {
    format!("OTEL_EXPORTER_OTLP_{}_{name}", signal.label().to_ascii_uppercase())
}

fn filled(lookup: Lookup<'_>, name: &str) -> Option<String> {
    lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// Validates a URL.
fn checked(field: &str, url: &str) -> Result<String, ConfigError> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let Some(rest) = rest else {
        return Err(error(field, format!("is “{url}”; it must be a URL that starts with http:// or https://")));
    };
    if host(url).is_empty() || rest.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
        return Err(error(field, format!("is “{url}”; it must be a URL such as http://localhost:4318")));
    }
    Ok(url.to_owned())
}

/// Appends the path of a signal to a base URL, before the query string.
fn below(base: &str, signal: Signal) -> String {
    let (path, asked) = base.split_once('?').map_or((base, None), |(path, asked)| (path, Some(asked)));
    let url = path.trim_end_matches('/').to_owned() + signal.path();
    asked.map_or_else(|| url.clone(), |asked| format!("{url}?{asked}"))
}

/// The host of a URL, without the port.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    match host.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    }
}

/// Parses `key=value,key=value`. Surrounding blanks are ignored, values are percent-decoded.
fn read_headers(field: &str, listed: &str) -> Result<Vec<(String, String)>, ConfigError> {
    let entries = listed.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    entries.map(|entry| read_header(field, entry)).collect()
}

fn read_header(field: &str, entry: &str) -> Result<(String, String), ConfigError> {
    let (name, value) = divided(field, entry)?;
    Ok((name.to_owned(), sendable(field, name, percent_decoded(value))?))
}

/// Splits a header into name and value. Values may be secrets, so errors only contain the name.
fn divided<'e>(field: &str, entry: &'e str) -> Result<(&'e str, &'e str), ConfigError> {
    let Some((name, value)) = entry.split_once('=') else {
        return Err(error(field, "has an entry without “=”; write name=value"));
    };
    let name = name.trim();
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(error(field, format!("has “{name}”, which can't be a header name; use letters, digits and hyphens")));
    }
    Ok((name, value.trim()))
}

fn sendable(field: &str, name: &str, value: Option<String>) -> Result<String, ConfigError> {
    let value = value.filter(|value| !value.contains(|letter: char| letter.is_control()));
    value.ok_or_else(|| error(field, format!("has a value of “{name}” that can't be sent; a percent sign in a variable is %25")))
}

/// `%20` and its like as what they stand for; `None` where a percent sign stands alone.
pub(super) fn percent_decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        out.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
    }
    String::from_utf8(out).ok()
}

/// The proxy for an address. A collector on this machine is never asked through one.
fn proxy(url: &str, lookup: Lookup<'_>) -> Option<String> {
    let either = |name: &str| filled(lookup, &name.to_ascii_lowercase()).or_else(|| filled(lookup, name));
    let own = if url.starts_with("https://") { "HTTPS_PROXY" } else { "HTTP_PROXY" };
    let proxy = either(own).or_else(|| either("ALL_PROXY"))?;
    let host = host(url).to_ascii_lowercase();
    let is_local = host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    let exempt = either("NO_PROXY").unwrap_or_default().to_ascii_lowercase();
    let is_exempt = exempt.split(',').map(|entry| entry.trim().trim_start_matches("*.").trim_start_matches('.')).any(|entry| {
        entry == "*" || !entry.is_empty() && (host == entry || host.strip_suffix(entry).is_some_and(|before| before.ends_with('.')))
    });
    (!is_local && !is_exempt).then_some(proxy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(entries: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        |name| entries.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    }

    fn url(signal: Signal, configured: Option<&str>, entries: &'static [(&str, &str)]) -> String {
        Settings::from_env(signal, configured, &env(entries)).expect("valid").url
    }

    #[test]
    fn a_base_address_gets_the_path_of_the_signal_and_an_own_one_stays_as_it_is() {
        use Signal::{Logs, Metrics, Traces};
        const BASE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
        const OWN: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
        assert_eq!(url(Traces, None, &[]), "http://localhost:4318/v1/traces");
        assert_eq!(url(Metrics, None, &[(BASE, "https://c.example/otlp/")]), "https://c.example/otlp/v1/metrics");
        assert_eq!(url(Logs, None, &[(BASE, "http://c:1?key=a/b")]), "http://c:1/v1/logs?key=a/b");
        assert_eq!(url(Traces, None, &[(BASE, "http://c"), (OWN, "http://d:9/in")]), "http://d:9/in");
        assert_eq!(url(Metrics, None, &[(BASE, "http://c"), (OWN, "http://d:9/in")]), "http://c/v1/metrics");
        assert_eq!(url(Traces, Some("http://mine:1"), &[(BASE, "http://c")]), "http://mine:1/v1/traces", "the configured one is used");
        assert_eq!(url(Traces, None, &[(BASE, ""), (OWN, " ")]), "http://localhost:4318/v1/traces", "empty is not set");
    }

    #[test]
    fn an_endpoint_given_by_hand_wins_and_may_carry_a_signals_path() {
        let lookup = env(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://other/"), ("OTEL_EXPORTER_OTLP_HEADERS", "a=b")]);
        for given in ["http://c:6006", "http://c:6006/", "http://c:6006/v1/traces", "http://c:6006/v1/logs/"] {
            let settings = Settings::to_endpoint(Signal::Metrics, "--endpoint", given, &lookup).expect("valid");
            assert_eq!(settings.url, "http://c:6006/v1/metrics");
            assert_eq!(settings.headers, [("a".to_owned(), "b".to_owned())]);
        }
        let error = Settings::to_endpoint(Signal::Traces, "--endpoint", "localhost:4318", &lookup).expect_err("no scheme");
        assert_eq!(error.to_string(), "--endpoint is “localhost:4318”; it must be a URL that starts with http:// or https://.");
    }

    #[test]
    fn the_variable_of_a_signal_wins_over_that_of_all() {
        let lookup = env(&[
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20YTpi, x-scope = t%2C1 ,"),
            ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "only=metrics"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500"),
            ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "1"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "none"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/protobuf"),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem"),
        ]);
        let metrics = Settings::from_env(Signal::Metrics, None, &lookup).expect("valid");
        assert_eq!(metrics.headers, [("only".to_owned(), "metrics".to_owned())]);
        assert_eq!((metrics.timeout, metrics.gzip), (Duration::from_millis(1), false));
        assert_eq!(metrics.certificate, Some("/ca.pem".into()));
        let error = Settings::from_env(Signal::Traces, None, &lookup).expect_err("grpc");
        assert!(error.to_string().starts_with("OTEL_EXPORTER_OTLP_PROTOCOL is “grpc”; only http/protobuf"), "{error}");
        let lookup = |name: &str| lookup(name).filter(|value| value != "grpc");
        let traces = Settings::from_env(Signal::Traces, None, &lookup).expect("valid");
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(traces.headers, [header("authorization", "Basic YTpi"), header("x-scope", "t,1")]);
        assert_eq!((traces.timeout, traces.gzip), (Duration::from_millis(2500), true));
    }

    #[test]
    fn each_error_names_the_variable_and_what_is_allowed() {
        let cases: [(&'static [(&str, &str)], &str); 8] = [
            (&[("OTEL_EXPORTER_OTLP_TIMEOUT", "10s")], "OTEL_EXPORTER_OTLP_TIMEOUT is “10s”; it must be a whole number of milliseconds"),
            (&[("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "0")], "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT is “0”"),
            (&[("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd")], "OTEL_EXPORTER_OTLP_COMPRESSION is “zstd”; allowed are gzip and none"),
            (&[("OTEL_EXPORTER_OTLP_HEADERS", "secret")], "OTEL_EXPORTER_OTLP_HEADERS has an entry without “=”"),
            (&[("OTEL_EXPORTER_OTLP_HEADERS", "a b=c")], "OTEL_EXPORTER_OTLP_HEADERS has “a b”, which can't be"),
            (&[("OTEL_EXPORTER_OTLP_HEADERS", "key=100%")], "OTEL_EXPORTER_OTLP_HEADERS has a value of “key” that can't be sent"),
            (&[("OTEL_EXPORTER_OTLP_CLIENT_KEY", "k.pem")], "OTEL_EXPORTER_OTLP_CLIENT_KEY is set without the certificate"),
            (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://")], "OTEL_EXPORTER_OTLP_ENDPOINT is “http://”; it must be a URL such as"),
        ];
        for (entries, words) in cases {
            let error = Settings::from_env(Signal::Traces, None, &env(entries)).expect_err(words).to_string();
            assert!(error.starts_with(words), "{error}");
        }
    }

    #[test]
    fn a_proxy_is_for_other_machines_that_are_not_exempt() {
        let lookup = env(&[
            ("HTTPS_PROXY", "http://proxy:3128"),
            ("all_proxy", "http://any:3128"),
            ("NO_PROXY", "exempt.example, .inside.example,10.0.0.1"),
        ]);
        let of = |endpoint: &str| Settings::to_endpoint(Signal::Traces, "--endpoint", endpoint, &lookup).expect("valid").proxy;
        assert_eq!(of("https://c.example:4318").as_deref(), Some("http://proxy:3128"));
        assert_eq!(of("http://c.example").as_deref(), Some("http://any:3128"));
        for direct in [
            "http://localhost:4318",
            "https://127.0.0.1",
            "http://[::1]:4318",
            "https://exempt.example",
            "https://a.inside.example",
        ] {
            assert_eq!(of(direct), None, "{direct}");
        }
        assert!(of("https://notexempt.example").is_some());
    }
}
