//! Shared parts of the server commands: listening, access control, reading bodies, shutdown.
//!
//! [`Guard`] checks every request before it is routed. Routes are in `collect` and `serve`.

mod body;
mod connections;
mod ending;
mod guard;
mod listen;
mod refusal;
mod room;
mod server;

pub(crate) use body::{Limits, content_type, read_body, unpacked};
pub(crate) use ending::Ending;
pub(crate) use listen::{Admission, Door};
pub(crate) use refusal::{Encoding, Refusal};
pub(crate) use room::Room;
pub(crate) use server::{Server, runtime};
