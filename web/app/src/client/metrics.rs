//! The messages of the metrics worker.

use super::{Link, Protocol, Reply, WorkerMessage, unwritten};
use quipu_protocol::{MetricsEvent, MetricsQuestions, MetricsRequest};
use std::cell::Cell;
use std::rc::Rc;

/// The messages of the metrics worker.
pub(crate) struct MetricsProtocol;

impl Protocol for MetricsProtocol {
    type Command = MetricsRequest;
    type Answer = Reply<MetricsQuestions>;
    type Event = ();

    fn read(message: &[u8]) -> Option<WorkerMessage<Reply<MetricsQuestions>, ()>> {
        Some(match postcard::from_bytes(message).ok()? {
            MetricsEvent::Ready { build } => WorkerMessage::Ready(build),
            MetricsEvent::Reply { id, result } => WorkerMessage::Reply(id, result),
        })
    }

    fn write(request: &MetricsRequest) -> Result<Vec<u8>, Reply<MetricsQuestions>> {
        postcard::to_allocvec(request).map_err(|error| Err(unwritten(&error)))
    }
}

/// The metrics worker. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(crate) struct MetricsLink {
    /// The worker.
    pub(crate) link: Link<MetricsProtocol>,
    /// The epoch whose input it has or is being given. An index is complete once in an epoch, and prices change none of the input.
    pub(crate) holds: Rc<Cell<Option<u32>>>,
}
