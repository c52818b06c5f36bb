//! Token prices, from a table that the user fills in, and costs. Prices are never guessed: without an entry there is no cost.
//!
//! Not here: where the table is stored.

use crate::decimal::Decimal;
use crate::fold::folded;
use crate::number::truncated;
use serde::{Deserialize, Serialize};

/// Price of the models that match a pattern.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// Model name; `*` matches any characters, letter case is ignored.
    pub pattern: String,
    /// Price of a million prompt tokens.
    pub prompt: f64,
    /// Price of a million completion tokens.
    pub completion: f64,
}

/// Prefix of an amount: `$`, `EUR `, or empty. At most eight bytes, because it is sent with every amount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CostUnit([u8; 8]);

impl CostUnit {
    /// The characters of `text` that fit, without control characters.
    pub fn new(text: &str) -> CostUnit {
        let (mut bytes, mut used) = ([0; 8], 0);
        for letter in text.chars().filter(|letter| !letter.is_control()) {
            let room = bytes.get_mut(used..used + letter.len_utf8());
            let Some(room) = room else { break };
            letter.encode_utf8(room);
            used += letter.len_utf8();
        }
        CostUnit(bytes)
    }

    /// The prefix as a string.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default().trim_end_matches('\0')
    }
}

/// Price table. The first entry whose pattern matches the model applies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PriceTable {
    /// Currency of the prices.
    pub unit: CostUnit,
    /// Entries in lookup order.
    pub prices: Vec<Price>,
}

/// Cost of one or more requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cost {
    /// The known cost, in billionths of the unit.
    pub nanos: u64,
    /// Whether this is a lower bound, because a count or price of some request is unknown.
    pub is_least: bool,
    /// Currency.
    pub unit: CostUnit,
}

impl Cost {
    /// Adds known costs. `None` if none is known; a lower bound if some are unknown.
    pub fn sum(costs: impl IntoIterator<Item = Option<Cost>>) -> Option<Cost> {
        let (mut sum, mut unknown) = (None::<Cost>, false);
        for cost in costs {
            match (cost, &mut sum) {
                (None, _) => unknown = true,
                (Some(cost), None) => sum = Some(cost),
                (Some(cost), Some(sum)) => {
                    sum.nanos = sum.nanos.saturating_add(cost.nanos);
                    sum.is_least |= cost.is_least;
                }
            }
        }
        sum.map(|sum| Cost { is_least: sum.is_least || unknown, ..sum })
    }
}

impl PriceTable {
    /// Whether the table has no entries.
    pub fn is_empty(&self) -> bool {
        self.prices.is_empty()
    }

    /// The entry for a model; `None` if no pattern matches.
    pub fn of(&self, model: &str) -> Option<&Price> {
        let model = folded(model);
        self.prices.iter().find(|price| names(&folded(&price.pattern), &model))
    }

    /// Cost of the given numbers of tokens. `None` if the model has no price or both counts are unknown.
    pub fn cost(&self, model: &str, prompt: Option<f64>, completion: Option<f64>) -> Option<Cost> {
        let price = self.of(model)?;
        let part = |tokens: Option<f64>, price: f64| match tokens {
            Some(tokens) => (tokens * price * 1e3, false),
            // An unknown count costs nothing if the price is 0.
            None => (0.0, price != 0.0),
        };
        let (for_prompt, prompt_unknown) = part(prompt, price.prompt);
        let (for_completion, completion_unknown) = part(completion, price.completion);
        let is_known = prompt.is_some() || completion.is_some() || !(prompt_unknown || completion_unknown);
        let nanos = truncated((for_prompt + for_completion).round());
        is_known.then_some(Cost { nanos, is_least: prompt_unknown || completion_unknown, unit: self.unit })
    }

    /// As text: the unit, and a line a price, its parts with tabs between.
    pub fn to_text(&self) -> String {
        let mut text = self.unit.as_str().to_owned();
        for price in &self.prices {
            text += &format!("\n{}\t{}\t{}", price.pattern.replace(['\t', '\n'], " "), price.prompt, price.completion);
        }
        text
    }

    /// Parses the format of [`PriceTable::to_text`]. Invalid lines are skipped.
    pub fn from_text(text: &str) -> PriceTable {
        let mut lines = text.lines();
        let unit = CostUnit::new(lines.next().unwrap_or_default());
        let price = |line: &str| {
            let mut parts = line.split('\t');
            let (pattern, prompt, completion) = (parts.next()?.trim(), parts.next()?, parts.next()?);
            (!pattern.is_empty()).then_some(())?;
            Some(Price { pattern: pattern.to_owned(), prompt: read_amount(prompt)?, completion: read_amount(completion)? })
        };
        PriceTable { unit, prices: lines.filter_map(price).collect() }
    }
}

/// Reads a price as people write it, such as `0.15`, `3`, or `2.5e-7`: without a sign, and with at most 15 digits that count and powers of ten
/// up to 22, within which it is exact.
pub fn read_amount(text: &str) -> Option<f64> {
    Decimal::read(text)?.exact()
}

/// Whether a pattern matches a model name, both in lower case.
fn names(pattern: &str, model: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = model.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_amount_is_read_as_the_standard_library_reads_it(text in "[0-9]{0,7}(|[.][0-9]{0,8})(|[eE]-?[0-9])") {
            prop_assert_eq!(read_amount(&text), text.parse().ok(), "{}", text);
        }
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for text in ["", ".", "-1", "+1", "1 ", "nan", "inf", "1e", "1e400", "0.12345678901234567", "½", "1_000"] {
            assert_eq!(read_amount(text), None, "{text}");
        }
        assert_eq!(read_amount("0.15000000000000000000"), Some(0.15));
        assert_eq!(read_amount("0e999"), Some(0.0));
    }

    fn table() -> PriceTable {
        PriceTable::from_text("$\nfake/*\t2\t10\n*llama*8b\t0.5\t0\n*\t0\t0\nbad\t-1\t0\nworse\t1")
    }

    #[test]
    fn the_first_pattern_that_names_a_model_holds() {
        let table = table();
        assert_eq!(table.prices.len(), 3);
        assert_eq!(table.of("fake/Llama-3.2-3B").map(|price| price.completion), Some(10.0));
        assert_eq!(table.of("meta/LLAMA-3-8B").map(|price| price.prompt), Some(0.5));
        assert_eq!(table.of("other").map(|price| price.prompt), Some(0.0));
        assert_eq!(PriceTable { unit: CostUnit::default(), prices: table.prices[..2].to_vec() }.of("other"), None);
        assert_eq!(PriceTable::from_text(&table.to_text()), table);
    }

    #[test]
    fn unknown_counts_make_a_cost_a_lower_bound_or_none() {
        let table = table();
        let cost = |millis: u64, is_least| Some(Cost { nanos: millis * 1_000_000, is_least, unit: CostUnit::new("$") });
        assert_eq!(table.cost("fake/a", Some(1e6), Some(1e5)), cost(3_000, false));
        assert_eq!(table.cost("fake/a", None, Some(1e5)), cost(1_000, true));
        assert_eq!(table.cost("fake/a", None, None), None);
        assert_eq!(table.cost("llama-8b", Some(1e6), None), cost(500, false));
        assert_eq!(table.cost("free", None, None), cost(0, false));
        assert_eq!(Cost::sum([None, None]), None);
        assert_eq!(Cost::sum([cost(1, false), None, cost(2, false)]), cost(3, true));
    }

    #[test]
    fn a_unit_is_cut_at_a_letter() {
        assert_eq!(["", "$", "EUR ", "\n€€€"].map(|text| CostUnit::new(text).as_str().to_owned()), ["", "$", "EUR ", "€€"]);
    }

    #[test]
    fn a_star_stands_for_any_letters() {
        for (pattern, model, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "a", true),
            ("*a*b", "xaxb", true),
            ("*a*b", "xb", false),
            ("a*a", "a", false),
            ("*", "", true),
        ] {
            assert_eq!(names(pattern, model), expected, "{pattern} {model}");
        }
    }
}
