//! Evaluates a filter over the index. Each condition is compared once with every distinct name or value, then once with every row of a
//! column. Only what the index does not hold is asked of `wanted`, whose answers may still be incomplete.
//!
//! Not here: which columns a field reads (`sources`), reading the file (`search`).

use super::attribute_match::prejudge_attribute;
use super::sources::{TextSource, numbers, texts};
use crate::index::{Bits, Decided, Dictionary, Facet, Index};
use quipu_model::number::narrow;
use quipu_model::{SpanFlags, SpanKind};
use quipu_protocol::filter::Filter;
use quipu_protocol::filter::Wanted;
use quipu_protocol::filter::expression::{Condition, Expression, Test};
use quipu_protocol::filter::fields::{IdField, TextField};
use quipu_protocol::filter::pattern::{Pattern, TextTest};

/// The traces that match, by number. `wanted` answers by span row.
pub(crate) fn decide(filter: &Filter, index: &Index, wanted: &mut dyn FnMut(&Wanted) -> Decided) -> Decided {
    Decider { index, wanted }.traces(&filter.expression)
}

struct Decider<'a> {
    index: &'a Index,
    wanted: &'a mut dyn FnMut(&Wanted) -> Decided,
}

/// A bare word of at least this many hex digits may be the prefix of an id.
const ID_DIGITS: usize = 6;

impl Decider<'_> {
    fn traces(&mut self, expression: &Expression) -> Decided {
        match expression {
            Expression::All(parts) => self.joined(parts, self.index.trace_count() as usize, true, &mut Self::traces),
            Expression::Any(parts) => self.joined(parts, self.index.trace_count() as usize, false, &mut Self::traces),
            Expression::Not(inner) => inverted(self.traces(inner)),
            Expression::Span(inner) => {
                let rows = self.spans(inner);
                self.with_one_of(&rows)
            }
            Expression::Test(test) => self.trace_test(test),
        }
    }

    fn spans(&mut self, expression: &Expression) -> Decided {
        match expression {
            Expression::All(parts) => self.joined(parts, self.index.span_count(), true, &mut Self::spans),
            Expression::Any(parts) => self.joined(parts, self.index.span_count(), false, &mut Self::spans),
            Expression::Not(inner) => inverted(self.spans(inner)),
            Expression::Span(inner) => self.spans(inner),
            Expression::Test(test) => self.span_test(&test.condition),
        }
    }

    fn joined(
        &mut self,
        parts: &[Expression],
        len: usize,
        all: bool,
        decide: &mut dyn FnMut(&mut Self, &Expression) -> Decided,
    ) -> Decided {
        let mut whole = None::<Decided>;
        for part in parts {
            // When nothing can match any more, the file need not be read.
            if all && whole.as_ref().is_some_and(|whole| whole.maybe.is_empty()) {
                break;
            }
            let part = decide(self, part);
            match &mut whole {
                None => whole = Some(part),
                Some(whole) if all => whole.and(&part),
                Some(whole) => whole.or(&part),
            }
        }
        whole.unwrap_or_else(|| Decided::known(Bits::filled(len, all)))
    }

    fn with_one_of(&self, rows: &Decided) -> Decided {
        lifted(rows, |rows| self.index.traces_of(rows))
    }

    fn trace_test(&mut self, test: &Test) -> Decided {
        if test.root {
            let rows = self.span_test(&test.condition);
            return lifted(&rows, |rows| self.index.traces_by_root(rows));
        }
        let index = self.index;
        if let Some(traces) = self.whole_traces(&test.condition) {
            return Decided::known(traces);
        }
        match &test.condition {
            Condition::Failed(false) => inverted(self.trace_test(&Test { root: false, condition: Condition::Failed(true) })),
            condition => {
                let rows = self.span_test(condition);
                let mut traces = self.with_one_of(&rows);
                if let Condition::Word(pattern) = condition
                    && let Some(start) = id_start(pattern)
                {
                    traces.or(&Decided::known(index.traces_by_id(start, false)));
                }
                traces
            }
        }
    }

    /// Matching traces for a condition about whole traces; `None` for a condition about spans.
    fn whole_traces(&self, condition: &Condition) -> Option<Bits> {
        let index = self.index;
        match condition {
            Condition::Number(field, compare) => numbers(*field).of_traces.map(|read| read(index, compare)),
            Condition::Id { of: IdField::Trace, text, whole } => Some(index.traces_by_id(text, *whole)),
            _ => None,
        }
    }

    /// The spans a condition holds for.
    fn span_test(&mut self, condition: &Condition) -> Decided {
        let (index, len) = (self.index, self.index.span_count());
        let with_flag = |failed: bool| Bits::collect(len, index.all_flags().map(|flags| flags.has(SpanFlags::FAILED) == failed));
        Decided::known(match condition {
            Condition::Number(field, compare) => {
                numbers(*field).of_spans.map_or_else(|| Bits::filled(len, false), |read| read(index, compare))
            }
            Condition::Kind { kind, is } => Bits::collect(len, index.kinds().map(|found: SpanKind| (found == *kind) == *is)),
            Condition::Failed(failed) => with_flag(*failed),
            Condition::Text(field, test) => self.span_texts(*field, test),
            Condition::Id { of: IdField::Span, text, whole } => index.spans_by_id(text, *whole),
            Condition::Id { of: IdField::Trace, .. } => Bits::filled(len, false),
            Condition::Word(pattern) => self.word(pattern),
            Condition::Attribute(test) => {
                let mut found = prejudge_attribute(test, index);
                if !found.is_known() {
                    let read = (self.wanted)(&Wanted::Attribute(test.clone()));
                    // Whatever the index has decided stays decided, even while the file is being read.
                    found.maybe.and(&read.maybe);
                    let sure = found.yes.clone();
                    found.yes = found.maybe.clone();
                    found.yes.and(&read.yes);
                    found.yes.or(&sure);
                    found.maybe.or(&sure);
                }
                return found;
            }
            Condition::Holds(text) => return (self.wanted)(&Wanted::Text(text.clone())),
        })
    }

    fn span_texts(&self, field: TextField, test: &TextTest) -> Bits {
        let len = self.index.span_count();
        match texts(field, self.index) {
            TextSource::Names => {
                let matcher = test.matcher();
                self.names(&|name| matcher.holds(name))
            }
            TextSource::Facet(facet) => with_value(len, facet, test),
            TextSource::Exceptions { facet, usual } => {
                let mut rows = Bits::filled(len, test.matcher().holds(usual));
                let matching = matching(&facet.values, test);
                for (row, number) in facet.rows() {
                    if matching.has(number) && !facet.values.text(number).is_empty() {
                        rows.insert(row);
                    } else {
                        rows.remove(row);
                    }
                }
                rows
            }
            TextSource::OfSpans { values, number } => {
                let matching = matching(values, test);
                let has = |row| number(self.index, row).is_some_and(|number| matching.has(number));
                Bits::collect(len, (0..narrow(len)).map(has))
            }
        }
    }

    /// Spans whose name passes the test; every distinct name is tested once.
    fn names(&self, holds: &dyn Fn(&str) -> bool) -> Bits {
        let names = self.index.span_names();
        let matching = Bits::collect(names.len(), names.map(holds));
        Bits::collect(self.index.span_count(), self.index.name_numbers().map(|number| matching.has(number)))
    }

    /// Spans matched by a bare word: by name, by attribute key, or by id prefix.
    fn word(&self, pattern: &Pattern) -> Bits {
        let index = self.index;
        let matcher = pattern.matcher();
        let mut rows = self.names(&|name| matcher.matches(name));
        if let (true, true, [key]) = (pattern.open_start, pattern.open_end, pattern.parts.as_slice()) {
            let profiles = index.profiles();
            let has_key = |profile: usize| {
                let profile = u16::try_from(profile).unwrap_or(crate::index::UNKNOWN_PROFILE);
                profiles.entries(profile).any(|entry| entry.key == key)
            };
            let with_key = Bits::collect(profiles.len(), (0..profiles.len()).map(has_key));
            if with_key.count() > 0 {
                rows.or(&Bits::collect(index.span_count(), profiles.iter().map(|profile| with_key.has(profile.into()))));
            }
        }
        if let Some(start) = id_start(pattern) {
            rows.or(&index.spans_by_id(start, false));
        }
        rows
    }
}

/// The word, if it may be the prefix of an id.
fn id_start(pattern: &Pattern) -> Option<&str> {
    match (pattern.open_start, pattern.open_end, pattern.parts.as_slice()) {
        (true, true, [word]) if word.len() >= ID_DIGITS && word.bytes().all(|byte| byte.is_ascii_hexdigit()) => Some(word),
        _ => None,
    }
}

fn inverted(mut decided: Decided) -> Decided {
    decided.invert();
    decided
}

/// Lifts an answer about spans to one about traces.
fn lifted(rows: &Decided, lift: impl Fn(&Bits) -> Bits) -> Decided {
    let yes = lift(&rows.yes);
    if rows.is_known() { Decided::known(yes) } else { Decided { maybe: lift(&rows.maybe), yes } }
}

/// Numbers of the values that pass the test.
fn matching(values: &Dictionary, test: &TextTest) -> Bits {
    let matcher = test.matcher();
    Bits::collect(values.len(), values.texts().map(|value| matcher.holds(value)))
}

fn with_value(len: usize, facet: &Facet, test: &TextTest) -> Bits {
    let matching = matching(&facet.values, test);
    let mut rows = Bits::filled(len, false);
    for (row, number) in facet.rows() {
        if matching.has(number) {
            rows.insert(row);
        }
    }
    rows
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests read fixtures")]
mod tests {
    use super::*;
    use quipu_model::number::narrow;
    use quipu_protocol::{ListTraces, TraceQuery};
    use quipu_store::{MemorySource, NamedSource, OpenOptions};

    /// Runs `filter` on the agent sample after the newest `read` spans were searched, of which those in `hits` match. Returns the traces
    /// that match for certain, and those that may match.
    fn decided(index: &Index, filter: &str, read: u32, hits: &[u32]) -> (Vec<u32>, Vec<u32>) {
        let rows = narrow(index.span_count());
        let filter = Filter::parse(filter).expect("a filter");
        let found = decide(&filter, index, &mut |_| {
            let mut answer = Decided::unknown(rows as usize);
            for row in rows - read..rows {
                if hits.contains(&row) {
                    answer.yes.insert(row);
                } else {
                    answer.maybe.remove(row);
                }
            }
            answer
        });
        (found.yes.iter().collect(), found.maybe.iter().collect())
    }

    fn index() -> crate::Session {
        let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/agent_0.2.15.db")).expect("the sample");
        let file = NamedSource { name: "file.db".into(), source: Box::new(MemorySource(bytes)) };
        let mut session = crate::Session::open(vec![file], OpenOptions::with_clock(|| 0)).expect("the file opens");
        session.complete_index().expect("an index");
        session
    }

    #[test]
    fn spans_that_were_not_read_are_undecided() {
        let session = index();
        let index = session.index();
        let (rows, traces) = (narrow(index.span_count()), index.trace_count());
        let all: Vec<u32> = (0..traces).collect();
        let hit = rows - 5;
        let trace = index.trace_of(hit);
        let others: Vec<u32> = all.iter().copied().filter(|other| *other != trace).collect();
        // Nothing read yet: every trace may match, and so for the negation.
        assert_eq!(decided(index, "\"x\"", 0, &[hit]), (vec![], all.clone()));
        assert_eq!(decided(index, "-\"x\"", 0, &[hit]), (vec![], all.clone()));
        // The hit is certain as soon as it was found, and no longer matches the negation.
        assert_eq!(decided(index, "\"x\"", 10, &[hit]).0, [trace]);
        assert!(!decided(index, "-\"x\"", 10, &[hit]).1.contains(&trace));
        assert!(decided(index, "-\"x\"", 10, &[hit]).0.iter().all(|other| index.trace_rows(*other)[0] >= rows - 10));
        // Everything read: both answers are complete, and complementary.
        assert_eq!(decided(index, "\"x\"", rows, &[hit]), (vec![trace], vec![trace]));
        assert_eq!(decided(index, "-\"x\"", rows, &[hit]), (others.clone(), others));
        // A part that the index decides alone does not wait for the part that needs reading.
        assert_eq!(decided(index, "spans>0 OR \"x\"", 0, &[]), (all.clone(), all));
        assert_eq!(decided(index, "spans<1 \"x\"", 0, &[]), (vec![], vec![]));
        assert_eq!(decided(index, "{kind:storage \"x\"}", 0, &[]), (vec![], vec![]));
        let name = index.span_names().nth(index.name_numbers().nth(hit as usize).expect("a row") as usize).expect("a name");
        assert_eq!(decided(index, &format!("{{name={name} \"x\"}}"), rows, &[hit]).0, [trace]);
        assert!(decided(index, &format!("{{name!={name} \"x\"}}"), rows, &[hit]).0.is_empty());
    }

    #[test]
    fn attributes_that_the_index_decides_are_not_read() {
        let session = index();
        let index = session.index();
        let mut asked = 0;
        let mut decide = |filter: &str| {
            let filter = Filter::parse(filter).expect("a filter");
            decide(&filter, index, &mut |_| {
                asked += 1;
                Decided::unknown(index.span_count())
            })
        };
        assert!(decide("__class__=InferenceRouter __class__:rag -__ttl__<5 output=* chunk_count>0 nothing=x").is_known());
        let long = decide("output:metrics");
        assert_eq!((long.yes.count(), asked), (0, 1));
        // Where no span has the key, or all have another known value, nothing stays undecided.
        let session_ids = Filter::parse("output=*").expect("a filter");
        let with_output = super::decide(&session_ids, index, &mut |_| Decided::unknown(index.span_count()));
        assert!(long.maybe.iter().all(|trace| with_output.yes.has(trace)));
    }

    #[test]
    fn a_list_waiting_for_a_search_counts_certain_matches() {
        let mut session = index();
        let query = TraceQuery { filter: "spans>0 OR \"x\"".into(), limit: 5, ..TraceQuery::default() };
        let page = session.ask(ListTraces(query)).expect("a page");
        assert_eq!((page.rows.len(), page.total, page.so_far), (5, Some(56), 56));
        let query = TraceQuery { filter: "spans>9 OR \"no such text\"".into(), ..page.query };
        let page = session.ask(ListTraces(query.clone())).expect("a page");
        let sure = TraceQuery { filter: "spans>9".into(), ..query };
        let whole = session.ask(ListTraces(sure)).expect("a page");
        assert_eq!((page.total, Some(page.so_far)), (None, whole.total));
        assert_eq!(page.rows, whole.rows);
    }
}
