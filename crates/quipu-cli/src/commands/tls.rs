//! `quipu tls init`: makes a private key and a certificate that signs itself.
//!
//! Not here: receiving with them (`http::tls`).

use crate::arguments::{Tls, TlsAction, TlsInit};
use crate::output::{Output, WrongCommandLine, clean_line};
use anyhow::{Context, Result, bail};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use time::{Duration, OffsetDateTime};

/// How long a certificate is valid.
const DAYS: i64 = 730;
/// What every program calls this machine.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

pub(crate) fn run(tls: &Tls, output: &mut Output) -> Result<()> {
    let TlsAction::Init(init) = &tls.action;
    write_pair(init, output)
}

fn write_pair(init: &TlsInit, output: &mut Output) -> Result<()> {
    let folder = &init.folder;
    let (cert, key) = (folder.join("quipu-cert.pem"), folder.join("quipu-key.pem"));
    for path in [&cert, &key] {
        if path.symlink_metadata().is_ok() {
            bail!("{} is there already and is not overwritten. Remove the pair first, or give another folder.", path.display());
        }
    }
    let (certificate, secret) = make(&init.names)?;
    std::fs::create_dir_all(folder).with_context(|| format!("The folder {} can't be created", folder.display()))?;
    write_new(&key, &secret, true)?;
    if let Err(error) = write_new(&cert, &certificate, false) {
        // A key without its certificate is of no use, and would be in the way of the next attempt.
        let _ = std::fs::remove_file(&key);
        return Err(error);
    }
    let shown = |path: &Path| clean_line(&path.canonicalize().unwrap_or_else(|_| path.to_owned()).display().to_string());
    let (cert, key) = (shown(&cert), shown(&key));
    let names: Vec<&str> = NAMES.into_iter().chain(init.names.iter().map(String::as_str)).collect();
    for line in [
        format!("Wrote {cert} and {key}, valid for {} and {DAYS} days.", clean_line(&names.join(", "))),
        String::new(),
        "Receive with".to_owned(),
        format!("  quipu collect --db telemetry.db --tls-cert '{cert}' --tls-key '{key}'"),
        "Send with".to_owned(),
        "  OTEL_EXPORTER_OTLP_ENDPOINT=https://127.0.0.1:4318".to_owned(),
        format!("  OTEL_EXPORTER_OTLP_CERTIFICATE='{cert}'"),
        "On other machines, senders need a copy of the certificate. The key stays here.".to_owned(),
    ] {
        output.line(&line)?;
    }
    Ok(())
}

/// The certificate and its key, in PEM.
fn make(names: &[String]) -> Result<(String, String)> {
    let all = NAMES.into_iter().map(str::to_owned).chain(names.iter().cloned());
    let wrong = |name: &str| WrongCommandLine(format!("“{name}” is neither a host name nor an IP address."));
    if let Some(name) = names.iter().find(|name| !is_name(name)) {
        return Err(wrong(name).into());
    }
    let mut params = CertificateParams::new(all.collect::<Vec<_>>()).context("The names can't be in a certificate")?;
    // A few minutes ago: clocks differ.
    let now = OffsetDateTime::UNIX_EPOCH + since_1970()?;
    params.not_before = now - Duration::minutes(10);
    params.not_after = now + Duration::days(DAYS);
    // Not an authority: who trusts it trusts this one machine, and no other certificate that is made with the key.
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    // A sender may show one as well.
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate().context("No key can be made")?;
    // Certificates of one name with different keys make clients say that a signature is wrong, which does not help.
    let mark: String = key.public_key_raw().iter().rev().take(4).map(|byte| format!("{byte:02x}")).collect();
    params.distinguished_name.push(DnType::CommonName, format!("quipu {mark}"));
    let certificate = params.self_signed(&key).context("No certificate can be made")?;
    Ok((certificate.pem(), key.serialize_pem()))
}

fn since_1970() -> Result<Duration> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).context("The clock is before 1970")?;
    Ok(Duration::seconds(i64::try_from(since.as_secs())?))
}

/// Whether a name may be in a certificate: an IP address, or letters, digits and hyphens between dots, with * alone at the beginning.
fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let is_inside = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        !label.is_empty() && label.len() <= 63 && is_inside && !label.starts_with('-') && !label.ends_with('-')
    };
    let rest = name.strip_prefix("*.").unwrap_or(name);
    name.parse::<std::net::IpAddr>().is_ok() || name.len() <= 253 && rest.split('.').all(is_label)
}

/// Writes a file that does not exist yet. `is_secret`: only for the user.
fn write_new(path: &Path, text: &str, is_secret: bool) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if is_secret {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = is_secret;
    let write = |mut file: File| file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    options.open(path).and_then(write).with_context(|| format!("{} can't be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn names_of_certificates_are_hosts_and_addresses() {
        for name in ["collector", "collector.example.org", "*.example.org", "192.168.0.7", "fe80::1", "a_b.local"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", " ", "a b", "https://a", "a:4318", "a..b", "-a", "*", "a.*", "ä.example", "a/b"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
