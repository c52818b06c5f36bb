//! Evaluates filters over the index, and suggests completions while one is typed.
//!
//! Not here: the language (`quipu_protocol::filter`).

mod attribute_match;
mod cursor;
mod decide;
mod sources;
mod suggest;

pub(crate) use attribute_match::{attribute_holds, prejudge_attribute};
pub(crate) use decide::decide;
pub(crate) use suggest::{Counts, suggest};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    fn check_suggestions(text: &str, cursor: usize) -> Result<(), TestCaseError> {
        let found = super::suggest(text, cursor, None);
        let (start, end) = (found.start as usize, found.end as usize);
        prop_assert!(
            found.items.is_empty() || start <= cursor.min(text.len()) && cursor.min(text.len()) <= end + 3,
            "{start}..{end} in {text}"
        );
        prop_assert!(start <= end && text.get(start..end).is_some(), "{start}..{end} in {text}");
        prop_assert!(found.items.len() <= 12);
        Ok(())
    }

    proptest! {
        #[test]
        fn suggestions_replace_whole_characters(text in "((error|model|span|attr[.]x|duration)[:<>=][a-z0-9*\"]{0,6}[ (){}|-]{0,3}){0,4}", any in any::<String>(), cursor in 0_usize..60) {
            check_suggestions(&text, cursor)?;
            check_suggestions(&any, cursor)?;
        }
    }
}
