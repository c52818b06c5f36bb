//! Shared parts of the server commands: listening, TLS, access control, reading bodies, shutdown.
//!
//! [`Guard`] checks every request before it is routed. Routes are in `collect` and `serve`.

mod body;
mod connections;
mod conversation;
mod ending;
mod foreign;
pub(crate) mod grpc;
mod guard;
mod listen;
mod notices;
mod origins;
mod refusal;
mod room;
mod server;
mod tls;
mod unpack;

pub(crate) use body::{Limits, Stated, content_type, read_body};
pub(crate) use ending::Ending;
pub(crate) use listen::{Admission, Door};
pub(crate) use notices::{Peer, Unusable, UnusableCounts};
pub(crate) use refusal::{Encoding, Refusal};
pub(crate) use room::{Held, Room};
pub(crate) use server::{Listener, Protocols, Server, runtime};
pub(crate) use tls::TlsFiles;
pub(crate) use unpack::Packing;
