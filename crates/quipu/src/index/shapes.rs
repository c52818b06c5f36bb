//! Predicts attributes: spans of one name have the same keys in the same order, and mostly the same short values.
//!
//! There is one prediction tree per span name. A node stands for a key after the keys of its ancestors; it stores the bytes that lead up to
//! its value, and the value it had last. Where the JSON continues with these bytes, one comparison replaces parsing, validating and
//! look-ups; otherwise the JSON is parsed and the tree is extended. The result is the same either way. Not here: the parser (`recorded`),
//! and the use of keys and values (`profile`, `facets`).

use super::profile::{Profiles, UNKNOWN_PROFILE, is_kept};
use quipu_model::dialect::{Says, says};
use quipu_model::failure::FailureKey;
use quipu_model::number::narrow;
use quipu_model::recorded::{Followed, RawJson, entries};

/// Limits on the number of nodes, the bytes that lead up to a value, and the children of a node: they bound the memory a hostile file can
/// claim to 10 MB.
const MAX_NODES: usize = 8_192;
const MAX_LEAD: usize = 512;
const MAX_CHILDREN: usize = 6;

/// What an attribute is needed for, apart from its profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// An attribute that decides whether the span failed.
    Failure(FailureKey),
    /// An attribute with a meaning that the index needs.
    Says(Says),
}

impl Wanted {
    fn of(key: &str) -> Option<Wanted> {
        FailureKey::of(key).map(Wanted::Failure).or_else(|| says(key).filter(|says| is_indexed(*says)).map(Wanted::Says))
    }
}

/// Whether the index needs attributes with this meaning. The others are words, which stay in the file.
fn is_indexed(says: Says) -> bool {
    use Says as S;
    matches!(
        says,
        S::Request
            | S::Autotraced
            | S::Output
            | S::Arguments
            | S::Address
            | S::Role(_)
            | S::Embeds
            | S::Database
            | S::FlatDocuments
            | S::Documents
            | S::Model
            | S::ResponseModel
            | S::Provider
            | S::Tool
            | S::Session
            | S::Turn
            | S::AgentId
            | S::AgentName
            | S::Parameters
            | S::Tokens(_)
            | S::Part(_)
            | S::FirstPartSeconds
            | S::FirstPartMillis
    )
}

#[derive(Clone, Default)]
struct Node {
    /// The bytes from the end of the previous value up to this value, followed by the value it had last, if that is kept.
    expected: Vec<u8>,
    /// Length of the part before the value.
    lead: usize,
    /// Numbers of the key and the value in [`Profiles`].
    key: u32,
    value: u32,
    wanted: Option<Wanted>,
    /// Nodes of the keys that may come next.
    children: Vec<u32>,
    /// Profile of the last span that ended at this node.
    profile: u16,
}

/// The prediction trees of all span names.
#[derive(Clone, Default)]
pub(super) struct Shapes {
    nodes: Vec<Node>,
    /// Root of each tree, by the number of the name.
    roots: Vec<Option<u32>>,
}

impl Shapes {
    /// Reads the attributes of a span into its profile; `name` is the number of the span's name. `seen` receives the attributes that are
    /// [`Wanted`]. Returns whether the text is a JSON object; if it is malformed, everything before the error has been read.
    pub(super) fn read<'t>(
        &mut self,
        profiles: &mut Profiles,
        name: u32,
        text: &'t [u8],
        mut seen: impl FnMut(Wanted, RawJson<'t>),
    ) -> bool {
        let mut rest = entries(text);
        let mut at = self.root(name);
        let readable = 'text: loop {
            let children = at.and_then(|at| self.nodes.get(at as usize)).map(|node| node.children.as_slice()).unwrap_or_default();
            let followed = children.iter().find_map(|child| {
                let node = self.nodes.get(*child as usize)?;
                match rest.follow(&node.expected, node.lead) {
                    Followed::Not => None,
                    Followed::ToKey => Some((*child, None)),
                    Followed::ToValue(value) => Some((*child, Some(value))),
                }
            });
            if let Some((child, value)) = followed
                && let Some(node) = self.nodes.get_mut(child as usize)
            {
                let value = match value {
                    Some(value) => {
                        profiles.add_known(node.key, node.value);
                        node.wanted.map(|_| RawJson::from_written(value))
                    }
                    None => {
                        let Some(value) = rest.read_value() else { break 'text false };
                        let number = profiles.add_value(node.key, value);
                        if is_kept(number) {
                            node.expect(value, number);
                        }
                        Some(value)
                    }
                };
                if let (Some(wanted), Some(value)) = (node.wanted, value) {
                    seen(wanted, value);
                }
                at = Some(child);
                continue;
            }
            let before = rest.offset();
            let (key, value) = match rest.next() {
                None => break 'text true,
                Some(Err(_)) => break 'text false,
                Some(Ok(entry)) => entry,
            };
            let numbers = profiles.add(&key, value);
            let wanted = Wanted::of(&key);
            let lead = text.get(before..rest.offset() - value.bytes().len()).unwrap_or_default();
            at = at.zip(numbers).and_then(|(at, numbers)| self.learn(at, lead, numbers, value, wanted));
            if let Some(wanted) = wanted {
                seen(wanted, value);
            }
        };
        let last = at.and_then(|at| self.nodes.get_mut(at as usize));
        let profile = profiles.finish_like(readable, last.as_ref().map_or(UNKNOWN_PROFILE, |node| node.profile));
        if let Some(node) = last {
            node.profile = profile;
        }
        readable
    }

    fn root(&mut self, name: u32) -> Option<u32> {
        let name = name as usize;
        if name >= self.roots.len() && name < MAX_NODES {
            self.roots.resize(name + 1, None);
        }
        if let Some(None) = self.roots.get(name) {
            let root = self.grow(Node::default());
            if let Some(slot) = self.roots.get_mut(name) {
                *slot = root;
            }
        }
        self.roots.get(name).copied().flatten()
    }

    fn grow(&mut self, node: Node) -> Option<u32> {
        let number = self.nodes.len();
        (number < MAX_NODES).then(|| {
            self.nodes.push(node);
            narrow(number)
        })
    }

    /// Records which key followed the entry `at`.
    fn learn(&mut self, at: u32, lead: &[u8], (key, value): (u32, u32), written: RawJson<'_>, wanted: Option<Wanted>) -> Option<u32> {
        let children = self.nodes.get(at as usize)?.children.len();
        if children >= MAX_CHILDREN || lead.len() > MAX_LEAD {
            return None;
        }
        let mut node = Node { expected: lead.to_vec(), lead: lead.len(), key, wanted, ..Node::default() };
        if is_kept(value) {
            node.expect(written, value);
        }
        let child = self.grow(node)?;
        self.nodes.get_mut(at as usize)?.children.push(child);
        Some(child)
    }
}

impl Node {
    /// Records the value it had last.
    fn expect(&mut self, written: RawJson<'_>, value: u32) {
        self.expected.truncate(self.lead);
        self.expected.extend_from_slice(written.bytes());
        self.value = value;
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "the numbers of a test are small")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// For each span: whether its attributes are an object, its profile, and the attributes passed to `seen`.
    type Read = Vec<(bool, u16, Vec<(String, Vec<u8>)>)>;

    fn number_of(wanted: Wanted) -> String {
        format!("{wanted:?}")
    }

    fn by_shapes(spans: &[(u32, String)]) -> (Read, Profiles) {
        let (mut shapes, mut profiles) = (Shapes::default(), Profiles::default());
        let read = spans.iter().enumerate().map(|(row, (name, text))| {
            let mut seen = Vec::new();
            let readable = shapes.read(&mut profiles, *name, text.as_bytes(), |wanted, value| {
                seen.push((
                    number_of(wanted),
                    value.as_str().map_or_else(|| value.bytes().to_vec(), |text| text.into_owned().into_bytes()),
                ));
            });
            (readable, profiles.of(row as u32), seen)
        });
        (read.collect(), profiles)
    }

    fn by_parsing(spans: &[(u32, String)]) -> (Read, Profiles) {
        let mut profiles = Profiles::default();
        let read = spans.iter().enumerate().map(|(row, (_, text))| {
            let (mut seen, mut readable) = (Vec::new(), true);
            for entry in entries(text.as_bytes()) {
                let Ok((key, value)) = entry else {
                    readable = false;
                    break;
                };
                profiles.add(&key, value);
                if let Some(wanted) = Wanted::of(&key) {
                    let text = value.as_str().map_or_else(|| value.bytes().to_vec(), |text| text.into_owned().into_bytes());
                    seen.push((number_of(wanted), text));
                }
            }
            profiles.finish(readable);
            (readable, profiles.of(row as u32), seen)
        });
        (read.collect(), profiles)
    }

    fn attributes() -> impl Strategy<Value = String> {
        let key = prop::sample::select(vec![
            "__root__",
            "error",
            "error.type",
            "output",
            "turn_id",
            "__args__",
            "a",
            "b",
            "\\u0061",
            "c\\\"",
            "ä",
        ]);
        let value = prop_oneof![
            prop::sample::select(vec![
                "1",
                "12",
                "1.5e3",
                "true",
                "false",
                "null",
                "NaN",
                "{}",
                "[1,{\"x\":\"}\"}]",
                "\"\"",
                "\"x\"",
                "\"a\\\"b\"",
                "\"\\\\\"",
                "tru",
                "\"open",
                "\"\\x\"",
            ])
            .prop_map(str::to_owned),
            "\"[a-z ]{0,90}\"",
        ];
        let entry =
            (key, prop::sample::select(vec![":", ": ", " :  "]), value).prop_map(|(key, colon, value)| format!("\"{key}\"{colon}{value}"));
        let end = prop::sample::select(vec!["}", "}", "}", "} ", " }", "", "}x", ",}"]);
        let comma = prop::sample::select(vec![", ", ",", " , "]);
        (prop::collection::vec(entry, 0..6), comma, end).prop_map(|(entries, comma, end)| format!("{{{}{end}", entries.join(comma)))
    }

    proptest! {
        #[test]
        fn prediction_and_parsing_read_the_same(
            texts in prop::collection::vec(attributes(), 1..8),
            order in prop::collection::vec((0..3_u32, any::<prop::sample::Index>()), 1..60),
        ) {
            let spans: Vec<(u32, String)> = order.iter().map(|(name, at)| (*name, at.get(&texts).clone())).collect();
            let ((read, by_shapes), (expected, by_parsing)) = (by_shapes(&spans), by_parsing(&spans));
            prop_assert_eq!(read, expected);
            prop_assert_eq!(by_shapes.len(), by_parsing.len());
            for profile in 0..by_shapes.len() as u16 {
                let entries = |profiles: &Profiles| -> Vec<(String, Option<Vec<u8>>)> {
                    profiles.entries(profile).map(|entry| (entry.key.to_owned(), entry.value.map(<[u8]>::to_vec))).collect()
                };
                prop_assert_eq!(entries(&by_shapes), entries(&by_parsing));
            }
            for (row, (_, text)) in spans.iter().enumerate() {
                for (key, value) in quipu_model::recorded::entries(text.as_bytes()).flatten() {
                    let Some(value) = value.as_str() else { continue };
                    let of = |profiles: &Profiles| profiles.may_hold(row as u32, profiles.hint_of(&key, value.as_bytes()));
                    prop_assert_eq!(of(&by_shapes), of(&by_parsing));
                }
            }
        }
    }

    #[test]
    fn prediction_stops_at_its_limits_and_parsing_goes_on() {
        let spans: Vec<(u32, String)> =
            (0..20_000).map(|number| (number % 9_000, format!("{{\"key {}\": 1, \"error\": {number}}}", number % 3_000))).collect();
        assert_eq!(by_shapes(&spans).0, by_parsing(&spans).0);
    }
}
