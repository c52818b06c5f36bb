//! The listening address: this machine only, unless remote access is allowed and a token is set.

use super::guard::{Guard, Token};
use super::origins::Origins;
use super::tls::Tls;
use crate::output::WrongCommandLine;
use anyhow::{Context, Result};
use clap::Args;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// Environment variable for the token, used without --token-file.
const VARIABLE: &str = "QUIPU_TOKEN";

/// Access options shared by all server commands.
#[derive(Args)]
pub(crate) struct Admission {
    /// Allow other machines to connect. Requires a token
    #[arg(long)]
    pub(crate) allow_remote: bool,
    /// Require `Authorization: Bearer TOKEN`, with the token on the first line of this file (or in the variable QUIPU_TOKEN)
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

impl Door {
    /// Lets pages of these origins send.
    ///
    /// # Errors
    /// If one is not an origin.
    pub(crate) fn open_to(self, origins: &[String]) -> Result<Door> {
        let origins = Origins::new(origins).map_err(WrongCommandLine)?;
        Ok(Door { guard: self.guard.with_origins(origins), ..self })
    }
}

/// The listening address and its access control.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    /// The flag that says where, for messages.
    pub(crate) flag: &'static str,
    pub(crate) guard: Guard,
    /// What it needs for TLS, if it has that.
    pub(crate) tls: Option<Tls>,
}

impl Admission {
    /// Validates the options for `listen` (`ADDRESS:PORT`), which `flag` was given with.
    ///
    /// # Errors
    /// If the address is invalid, the token can't be read, or other machines could connect without permission.
    pub(crate) fn door(&self, flag: &'static str, listen: &str) -> Result<Door> {
        self.door_over(flag, listen, None)
    }

    /// The same, with TLS if there is something for it. Clients that are known by their certificates need no token.
    ///
    /// # Errors
    /// Like [`Admission::door`].
    pub(crate) fn door_over(&self, flag: &'static str, listen: &str, tls: Option<Tls>) -> Result<Door> {
        let token = match &self.token_file {
            Some(path) => {
                let text = std::fs::read_to_string(path).with_context(|| format!("The token file {} can't be read", path.display()))?;
                Some((text.lines().next().unwrap_or_default().trim().to_owned(), path.display().to_string()))
            }
            None => std::env::var(VARIABLE).ok().filter(|token| !token.is_empty()).map(|token| (token, format!("The variable {VARIABLE}"))),
        };
        let knows_clients = tls.as_ref().is_some_and(Tls::knows_clients);
        Ok(Door { tls, ..self.door_with(flag, listen, token, knows_clients)? })
    }

    /// Like `door`, with a token and the name of its source.
    fn door_with(&self, flag: &'static str, listen: &str, token: Option<(String, String)>, knows_clients: bool) -> Result<Door> {
        let address = address(flag, listen)?;
        let token = token.map(|(token, from)| Token::new(&token, &from).map_err(WrongCommandLine)).transpose()?;
        let is_loopback = address.ip().to_canonical().is_loopback();
        let lacks = match (self.allow_remote, &token) {
            _ if is_loopback => None,
            (true, Some(_)) => None,
            (true, None) if knows_clients => None,
            (true, None) => Some("a token: --token-file FILE, or the variable QUIPU_TOKEN"),
            (false, Some(_)) => Some("--allow-remote"),
            (false, None) => Some("--allow-remote and a token (--token-file FILE, or the variable QUIPU_TOKEN)"),
        };
        if let Some(lacks) = lacks {
            let words = format!("{listen} is reachable from other machines. To allow that, give {lacks}; otherwise listen on 127.0.0.1.");
            return Err(WrongCommandLine(words).into());
        }
        Ok(Door { address, flag, guard: Guard::new(is_loopback, token), tls: None })
    }
}

fn address(flag: &str, listen: &str) -> Result<SocketAddr> {
    if let Some(port) = listen.strip_prefix("localhost:").and_then(|port| port.parse().ok()) {
        return Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    }
    let words = || format!("{flag} {listen} is not an address with a port; use a form such as 127.0.0.1:4318 or [::1]:4318.");
    listen.parse().map_err(|_| WrongCommandLine(words()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door(listen: &str, allow_remote: bool, token: Option<&str>) -> Result<Door, String> {
        let admission = Admission { allow_remote, token_file: None };
        admission
            .door_with("--listen", listen, token.map(|token| (token.to_owned(), "The variable QUIPU_TOKEN".to_owned())), false)
            .map_err(|error| error.to_string())
    }

    const TOKEN: Option<&str> = Some("a-token-of-20-letters");

    #[test]
    fn this_machine_needs_nothing_and_others_need_both_the_flag_and_a_token() {
        for listen in ["127.0.0.1:4318", "127.8.8.8:1", "[::1]:4318", "[::ffff:127.0.0.1]:4318", "localhost:0"] {
            assert!(door(listen, false, None).is_ok(), "{listen}");
        }
        for listen in ["0.0.0.0:4318", "192.168.0.7:4318", "[::]:4318", "[fe80::1]:4318"] {
            assert!(door(listen, true, TOKEN).is_ok(), "{listen}");
            for (allow_remote, token, lacks) in [
                (false, None, "--allow-remote and a token"),
                (true, None, "give a token"),
                (false, TOKEN, "give --allow-remote;"),
            ] {
                let words = door(listen, allow_remote, token).expect_err(listen);
                assert!(words.contains(lacks) && words.contains(listen), "{words}");
            }
        }
    }

    #[test]
    fn clients_that_show_a_certificate_need_no_token() {
        let remote = |allow_remote| Admission { allow_remote, token_file: None }.door_with("--listen", "0.0.0.0:4318", None, true);
        assert!(remote(true).is_ok());
        let words = remote(false).expect_err("not allowed").to_string();
        assert!(words.contains("--allow-remote"), "{words}");
    }

    #[test]
    fn what_is_no_address_or_no_token_is_told() {
        for listen in ["4318", "localhost", "localhost:x", "example.org:4318", "127.0.0.1", ":4318"] {
            assert!(door(listen, false, None).expect_err(listen).contains("127.0.0.1:4318"), "{listen}");
        }
        for token in ["short", "sixteen letters and blanks", "ümläut-ümläut-ümläut"] {
            let words = door("127.0.0.1:1", false, Some(token)).expect_err(token);
            assert!(words.contains("The variable QUIPU_TOKEN") && !words.contains(token), "{words}");
        }
    }
}
