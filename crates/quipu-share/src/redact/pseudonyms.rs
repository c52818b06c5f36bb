//! Pseudonyms: equal ids get equal pseudonyms of the same shape.
//!
//! They are numbered, so they reveal nothing about the original and compress well.

use super::shapes::is_uuid;
use std::collections::BTreeMap;

/// The shape of an id, kept by its pseudonym.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// This many hex digits.
    Hex(usize),
    /// A UUID: 8-4-4-4-12 hex digits.
    Uuid,
    /// Anything else: a word and a number.
    Other,
}

/// A list of pseudonyms.
#[derive(Default)]
pub(super) struct Pseudonyms {
    given: BTreeMap<String, String>,
    /// The number of pseudonyms per shape; there are few shapes.
    counts: Vec<(Shape, u32)>,
}

impl Pseudonyms {
    /// The pseudonym of an id: as many hex digits, a UUID, or `id-7`.
    pub(super) fn of_id(&mut self, id: &str) -> String {
        let key = if shape(id) == Shape::Other { id.to_owned() } else { id.to_ascii_lowercase() };
        self.of(key, shape(id), "id")
    }

    /// The pseudonym of a name: `span-7`.
    pub(super) fn of_name(&mut self, name: &str, word: &str) -> String {
        self.of(format!("{word}\0{name}"), Shape::Other, word)
    }

    fn of(&mut self, key: String, shape: Shape, word: &str) -> String {
        if let Some(given) = self.given.get(&key) {
            return given.clone();
        }
        let before = self.counts.iter().find(|(counted, _)| *counted == shape).map_or(0, |(_, count)| *count);
        let count = before + 1;
        self.counts.retain(|(counted, _)| *counted != shape);
        self.counts.push((shape, count));
        let made = match shape {
            Shape::Hex(digits) => format!("{count:0digits$x}"),
            Shape::Uuid => format!("00000000-0000-0000-0000-{count:012x}"),
            Shape::Other => format!("{word}-{count}"),
        };
        self.given.insert(key, made.clone());
        made
    }
}

fn shape(id: &str) -> Shape {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if id.len() >= 8 && id.len() <= 64 && is_hex(id) {
        return Shape::Hex(id.len());
    }
    if is_uuid(id.as_bytes()) { Shape::Uuid } else { Shape::Other }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_has_the_shape_of_its_id_and_is_the_same_for_the_same() {
        let mut ids = Pseudonyms::default();
        assert_eq!(ids.of_id("77d3615b3d4bfbc0"), "0000000000000001");
        assert_eq!(ids.of_id("cf1ea0dfb2d5602e420e32e4b45b6044"), "00000000000000000000000000000001");
        assert_eq!(ids.of_id("7a4e0c32-2bdc-46ab-aabb-dbbc225ce760"), "00000000-0000-0000-0000-000000000001");
        assert_eq!(ids.of_id("77D3615B3D4BFBC0"), "0000000000000001");
        assert_eq!(ids.of_id("fad0c33db941cd45"), "0000000000000002");
        assert_eq!((ids.of_id("call_x").as_str(), ids.of_id("Call_x").as_str()), ("id-1", "id-2"));
        assert_eq!(ids.of_name("call_x", "span"), "span-3");
    }
}
