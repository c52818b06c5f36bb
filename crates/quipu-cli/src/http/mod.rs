//! The commands that are servers: where they listen, whom they let in, how a body is read, and how they end.
//!
//! Everything that is answered passes [`Guard`] before any route sees it. What is not here: the routes, and what they answer.

mod body;
mod guard;
mod listen;
mod refusal;
mod server;

pub(crate) use body::{Limits, content_type, read_body, unpacked};
pub(crate) use guard::Guard;
pub(crate) use listen::{Admission, Door};
pub(crate) use refusal::{Encoding, Refusal};
pub(crate) use server::{Server, runtime};
