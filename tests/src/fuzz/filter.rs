//! Fuzzes the filter language: parsing, error positions, and results.

use crate::fixtures::SMALL;
use quipu::Session;
use quipu::filter::Filter;
use quipu::protocol::{FailureKind, ListTraces, Suggest, TraceQuery};
use quipu::store::{MemorySource, NamedSource, OpenOptions};
use std::cell::RefCell;

thread_local! {
    static FILE: RefCell<Session> = RefCell::new(open());
}

fn open() -> Session {
    let bytes = std::fs::read(SMALL.path()).expect("the fixture is there");
    let file = NamedSource { name: "small.db".to_owned(), source: Box::new(MemorySource(bytes)) };
    let mut session = Session::open(vec![file], OpenOptions::with_clock(|| 0)).expect("a fixture opens");
    while !session.step(&mut || false).expect("a fixture is read").done {}
    session
}

/// A filter is parsed, or rejected with a sentence and a valid position. The printed form parses as the same filter.
pub(super) fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    FILE.with_borrow_mut(|file| answered(file, &text));
    match Filter::parse(&text) {
        Ok(filter) => {
            let printed = filter.to_string();
            assert_eq!(Filter::parse(&printed).as_ref(), Ok(&filter), "{text:?} is printed as {printed:?}");
            let texts = filter.texts();
            for (at, found) in texts.iter().enumerate() {
                assert!(!texts[..at].contains(found), "{found:?} stands twice");
            }
            let terms = Filter::terms(&text).expect("what is understood has terms");
            assert_eq!(terms.is_empty(), filter.is_empty(), "only a filter that says nothing has no terms");
            for (number, term) in terms.iter().enumerate() {
                let alone = text.get(term.start..term.end).unwrap_or_else(|| panic!("{term:?} splits a character of {text:?}"));
                assert_eq!(Filter::parse(alone), Filter::parse(&term.text), "the term {term:?} of {text:?}");
                let left = Filter::without_term(&text, number);
                let count = Filter::terms(&left).map(|terms| terms.len());
                assert_eq!(count, Ok(terms.len() - 1), "{text:?} without {alone:?} is {left:?}");
            }
        }
        Err(error) => {
            assert!(error.start <= error.end && error.end <= text.len(), "{error:?} is not within {text:?}");
            assert!(text.is_char_boundary(error.start) && text.is_char_boundary(error.end), "{error:?} splits a character of {text:?}");
            assert!(error.message.contains(' ') && error.message.ends_with(['.', '?']), "no sentence: {:?}", error.message);
            let _ = error.drawing(&text);
        }
    }
}

/// Lists are answered, and a filter and its negation together match all traces.
fn answered(file: &mut Session, text: &str) {
    // Any cursor position, including within a character.
    for cursor in [0, text.len() / 2, text.len()] {
        let question = Suggest { filter: text.to_owned(), cursor: cursor as u32 };
        let suggestions = file.ask(question).unwrap_or_else(|failure| panic!("{text:?} has no suggestions: {failure}"));
        let place = text.get(suggestions.start as usize..suggestions.end as usize);
        assert!(suggestions.items.is_empty() || place.is_some(), "{suggestions:?} are not for a place in {text:?}");
    }
    match (count(file, text), Filter::parse(text)) {
        // Results of text searches are only known at the end of the search.
        (Ok(Some(found)), Ok(filter)) if !filter.is_empty() && filter.texts().is_empty() => {
            let others = count(file, &format!("NOT ({text})")).expect("the negation is understood");
            assert_eq!(Some(found + others.unwrap_or_default()), count(file, "").ok().flatten(), "traces that {text:?} finds or does not");
        }
        (Ok(_), Ok(_)) => {}
        (Err(FailureKind::BadRequest), Err(_)) => {}
        (listed, understood) => panic!("{text:?} is {understood:?}, and its list {listed:?}"),
    }
}

fn count(file: &mut Session, filter: &str) -> Result<Option<u32>, FailureKind> {
    let query = TraceQuery { filter: filter.to_owned(), limit: 3, ..TraceQuery::default() };
    file.ask(ListTraces(query)).map(|page| page.total).map_err(|failure| failure.kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::inputs;
    use crate::random::Random;

    #[test]
    fn the_inputs_are_filters_and_things_that_are_none() {
        let understood = (0..1_000).filter(|seed| {
            let input = inputs::filter(&mut Random::new(*seed));
            Filter::parse(&String::from_utf8_lossy(&input)).is_ok_and(|filter| !filter.is_empty())
        });
        let understood = understood.count();
        assert!((100..900).contains(&understood), "{understood} of 1000 are understood");
    }
}
