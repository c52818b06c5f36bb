//! The service and the instrumentation scope of each span.
//!
//! In Quipu's own layout every span has a resource and a scope; in the reference's, a trace has a service. Not here: the rest of resources
//! and scopes, which stays in the file.

use super::facets::Dictionary;
use super::values::NO_VALUE;
use super::{Index, NO_TIME};
use quipu_model::recorded::entries;
use quipu_store::{Database, StoreError, scan_sources};

/// The number of a source that is none.
pub(super) const NO_SOURCE: u32 = 0;
/// Sources with greater numbers are not named: numbers come from the file.
const MAX_SOURCES: usize = 1 << 20;

/// What the sources of a file are called.
#[derive(Clone, Default)]
pub(super) struct Sources {
    /// The service by the number of a source, or [`NO_VALUE`].
    services: Vec<u32>,
    /// Likewise the scope.
    scopes: Vec<u32>,
    scope_names: Dictionary,
}

/// A text among the entries of a JSON object; of several the last.
fn text_in(object: &str, key: &str) -> Option<String> {
    let found = entries(object.as_bytes()).flatten().filter(|(name, _)| name.as_ref() == key).last();
    found.and_then(|(_, value)| value.as_str().map(|text| text.into_owned())).filter(|text| !text.is_empty())
}

fn put(numbers: &mut Vec<u32>, at: usize, number: u32) {
    if numbers.len() <= at {
        numbers.resize(at + 1, NO_VALUE);
    }
    if let Some(place) = numbers.get_mut(at) {
        *place = number;
    }
}

impl Index {
    /// Reads the names of all sources. Due once every span and trace was read.
    pub(super) fn read_sources(&mut self, database: &Database) -> Result<(), StoreError> {
        let mut sources = Sources::default();
        let services = &mut self.service_names;
        scan_sources(database.connection(), database.schema(), &mut |number, resource, scope| {
            let Some(at) = usize::try_from(number).ok().filter(|at| *at < MAX_SOURCES) else { return };
            if let Some(service) = text_in(resource, "service.name").and_then(|name| services.number(&name)) {
                put(&mut sources.services, at, service);
            }
            if let Some(scope) = text_in(scope, "name").and_then(|name| sources.scope_names.number(&name)) {
                put(&mut sources.scopes, at, scope);
            }
        })?;
        self.sources = sources;
        Ok(())
    }

    /// Distinct service names, by number.
    pub(crate) fn services(&self) -> &Dictionary {
        &self.service_names
    }

    /// Distinct names of scopes, by number.
    pub(crate) fn scopes(&self) -> &Dictionary {
        &self.sources.scope_names
    }

    /// The number of the service that wrote the span in `row`.
    pub(crate) fn service_of(&self, row: u32) -> Option<u32> {
        if self.spans.source.len() == 0 {
            return self.traces.at(self.trace_of(row)).service.map(u32::from);
        }
        self.service_of_source(*self.spans.source.at(row))
    }

    /// The number of the service that a source names.
    pub(crate) fn service_of_source(&self, source: u32) -> Option<u32> {
        self.sources.services.get(source as usize).copied().filter(|number| *number != NO_VALUE)
    }

    /// The number of the scope of the span in `row`.
    pub(crate) fn scope_of(&self, row: u32) -> Option<u32> {
        if self.spans.source.len() == 0 {
            return None;
        }
        self.scope_of_source(*self.spans.source.at(row))
    }

    /// The number of the name of a source's scope.
    pub(crate) fn scope_of_source(&self, source: u32) -> Option<u32> {
        self.sources.scopes.get(source as usize).copied().filter(|number| *number != NO_VALUE)
    }

    /// The service of every trace that spans do not state themselves.
    pub(super) fn traces_have_services(&self) -> bool {
        self.spans.source.len() == 0
    }

    /// Children that end before their parent begins. (Llama Stack's own files have such, because it notes starts late; they don't count.)
    pub(super) fn count_skewed(&self, rows: &[u32], parents: &[Option<usize>]) -> u64 {
        if self.spans.source.len() == 0 {
            return 0;
        }
        let times = |row: u32| (*self.spans.start.at(row), *self.spans.end.at(row));
        let is_skewed = |(row, parent): &(&u32, &Option<usize>)| {
            let Some(parent) = parent.and_then(|place| rows.get(place)) else { return false };
            let ((start, end), (from, _)) = (times(**row), times(*parent));
            let is_known = [start, end, from].iter().all(|at| *at != NO_TIME);
            is_known && start <= end && end < from
        };
        rows.iter().zip(parents).filter(is_skewed).count() as u64
    }
}
