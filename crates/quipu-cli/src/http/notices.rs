//! What a server says about connections and requests that can't work, so that a wrong setting is not met with silence: each once per
//! address, and few in all.

use crate::output::clean_line;
use std::collections::HashSet;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How many notices there are about one address, and in all.
const OF_ADDRESS: usize = 10;
const MOST: usize = 100;
/// The longest notice, in characters: a path may be of any length.
const LONGEST: usize = 500;

/// Why a connection can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// It speaks another protocol.
    Protocol,
    /// It does not speak TLS to a socket that has it. Each of its requests counts.
    Plaintext,
    /// The TLS handshake failed.
    Handshake,
}

impl Unusable {
    pub(crate) const ALL: [Unusable; 3] = [Unusable::Protocol, Unusable::Plaintext, Unusable::Handshake];

    pub(crate) fn label(self) -> &'static str {
        match self {
            Unusable::Protocol => "protocol",
            Unusable::Plaintext => "plaintext",
            Unusable::Handshake => "handshake",
        }
    }
}

/// How many connections could not be used, by the reason.
#[derive(Debug, Default)]
pub(crate) struct UnusableCounts([AtomicU64; Unusable::ALL.len()]);

impl UnusableCounts {
    fn of(&self, why: Unusable) -> Option<&AtomicU64> {
        self.0.get(why as usize)
    }

    pub(crate) fn get(&self, why: Unusable) -> u64 {
        self.of(why).map_or(0, |count| count.load(Ordering::Relaxed))
    }
}

/// The notices that were given.
#[derive(Default)]
pub(super) struct Notices {
    given: Mutex<HashSet<(IpAddr, String)>>,
    unusable: Arc<UnusableCounts>,
}

impl Notices {
    pub(super) fn new(unusable: Arc<UnusableCounts>) -> Notices {
        Notices { unusable, ..Notices::default() }
    }

    /// What is to be printed about an address. `None` if it was said before, or enough was said.
    fn next(&self, peer: IpAddr, words: &str) -> Option<String> {
        let words: String = words.chars().take(LONGEST).collect();
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let of_address = given.iter().filter(|(address, _)| *address == peer).count();
        if given.len() >= MOST || of_address >= OF_ADDRESS || !given.insert((peer, words.clone())) {
            return None;
        }
        let more = if given.len() == MOST || of_address + 1 == OF_ADDRESS { " Nothing further of this kind is reported." } else { "" };
        Some(format!("{}{more}", clean_line(&format!("{peer} {words}"))))
    }
}

/// The other side of a connection. Requests carry it as an extension.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(super) address: IpAddr,
    /// The address that it connected to.
    pub(super) local: SocketAddr,
    pub(super) notices: Arc<Notices>,
}

impl Peer {
    /// The address that it connected to.
    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Says something about it on standard error, once. `words` go on after its address.
    pub(crate) fn tell(&self, words: &str) {
        if let Some(line) = self.notices.next(self.address, words) {
            // Nobody may be reading it.
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }

    /// The same about a connection that can't be used, which is counted.
    pub(super) fn tell_unusable(&self, why: Unusable, words: &str) {
        if let Some(count) = self.notices.unusable.of(why) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.tell(words);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn each_is_given_once_and_few_in_all() {
        let notices = Notices::default();
        let of = |last: u8| IpAddr::from(Ipv4Addr::new(10, 0, 0, last));
        assert_eq!(notices.next(of(1), "speaks TLS.").as_deref(), Some("10.0.0.1 speaks TLS."));
        assert_eq!(notices.next(of(1), "speaks TLS."), None);
        assert_eq!(notices.next(of(2), "speaks\nTLS.").as_deref(), Some("10.0.0.2 speaks␊TLS."), "one line, of each address");
        let said: Vec<String> = (0..1_000).filter_map(|at| notices.next(of(1), &format!("asks for /{at}."))).collect();
        assert_eq!(said.len(), OF_ADDRESS - 1);
        assert!(said.last().is_some_and(|last| last.ends_with("Nothing further of this kind is reported.")), "{said:?}");
        let others = (3..=255).filter_map(|last| notices.next(of(last), "x")).count();
        assert_eq!(others, MOST - OF_ADDRESS - 1);
        assert!(notices.next(of(1), &"é".repeat(10_000)).is_none());
    }
}
