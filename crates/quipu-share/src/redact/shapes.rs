//! The look of keys and ids without a prefix: UUIDs, hex digits, random letters.

/// The lengths of runs that can be random keys. Longer ones are data.
const RANDOM: std::ops::RangeInclusive<usize> = 20..=4096;

/// How base64 of files begins: images, sounds, archives, documents, encrypted thoughts.
const FILES: [&str; 22] = [
    "iVBORw0KGgo",
    "/9j/",
    "R0lGOD",
    "UklGR",
    "JVBERi0",
    "UEsDB",
    "H4sI",
    "Qk0",
    "SUkq",
    "TU0AK",
    "PHN2",
    "PD94bWwg",
    "SUQz",
    "//uQ",
    "//NE",
    "T2dnUw",
    "ZkxhQw",
    "AAAA",
    "gAAAA",
    "KLUv",
    "Qlpo",
    "GkXf",
];

/// Whether the whole text is a UUID.
pub(super) fn is_uuid(text: &[u8]) -> bool {
    let fits = |(at, byte): (usize, &u8)| if matches!(at, 8 | 13 | 18 | 23) { *byte == b'-' } else { byte.is_ascii_hexdigit() };
    text.len() == 36 && text.iter().enumerate().all(fits)
}

/// Whether all are hex digits, at least one of them a decimal one.
pub(super) fn is_hex(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_hexdigit) && text.iter().any(u8::is_ascii_digit)
}

/// Whether a value under a name that may mean a key is one.
pub(super) fn looks_like_key(value: &[u8]) -> bool {
    if value.len() < 8 || value.iter().any(|byte| byte.is_ascii_whitespace()) || value.starts_with(b"/") || value.starts_with(b"http") {
        return false;
    }
    if is_uuid(value) || is_hex(value) && value.len() >= 16 {
        return true;
    }
    let longest = value.split(|byte| !byte.is_ascii_alphanumeric()).max_by_key(|part| part.len()).unwrap_or_default();
    let digits = longest.iter().filter(|byte| byte.is_ascii_digit()).count();
    let letters = longest.len() - digits;
    let has_case = longest.iter().any(u8::is_ascii_uppercase) && longest.iter().any(u8::is_ascii_lowercase);
    longest.len() >= 15 && digits >= 2 && letters >= 2
        || longest.len() >= 20 && has_case && mixes(longest) * 4 >= longest.len()
        || looks_random(value)
}

/// Whether a run looks random: lower case, upper case and digits alternate about as often as in a key.
pub(super) fn looks_random(run: &[u8]) -> bool {
    if !RANDOM.contains(&run.len())
        || FILES.iter().any(|head| run.starts_with(head.as_bytes()))
        || run.starts_with(b"sha256-")
        || run.starts_with(b"sha512-")
    {
        return false;
    }
    let digits = run.iter().filter(|byte| byte.is_ascii_digit()).count();
    if digits >= 3 && changes(run) * 4 >= run.len() && !is_ids(run) {
        return true;
    }
    // A secret key of AWS may have few digits.
    run.len() == 40 && mixes(run) >= 13 && !run.iter().any(|byte| matches!(byte, b'_' | b'-')) && !is_ids(run)
}

fn class(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => 0,
        b'a'..=b'z' => 1,
        b'A'..=b'Z' => 2,
        _ => 3,
    }
}

/// How often the class of the letters changes. An upper-case letter before lower-case ones is normal in names.
fn changes(run: &[u8]) -> usize {
    let differ = |from: u8, to: u8| from != to && from != 3 && to != 3 && (from, to) != (2, 1);
    run.iter().zip(run.iter().skip(1)).filter(|(from, to)| differ(class(**from), class(**to))).count()
}

/// Like [`changes`], and how often an upper-case letter follows another: names have few of both.
fn mixes(run: &[u8]) -> usize {
    changes(run) + run.iter().zip(run.iter().skip(1)).filter(|(from, to)| from.is_ascii_uppercase() && to.is_ascii_uppercase()).count()
}

/// Whether a run has the shape of ids: hex digits in parts no longer than a digest, and words in lower case.
fn is_ids(run: &[u8]) -> bool {
    run.split(|byte| !byte.is_ascii_alphanumeric()).all(|part| {
        let is_word = part.len() <= 12 && part.iter().all(u8::is_ascii_lowercase);
        let is_hex = part.iter().all(u8::is_ascii_hexdigit);
        is_word || is_hex && matches!(part.len(), 0..=32 | 40 | 48 | 50 | 56 | 64 | 96 | 128)
    })
}

/// The length of the IPv6 or hardware address at the beginning of `text`; `None` if there is none.
pub(super) fn colon_address(text: &[u8]) -> Option<usize> {
    let length = text.iter().take(48).take_while(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')).count();
    let mut run = text.get(..length)?;
    while let Some(head) = run.strip_suffix(b".").or_else(|| run.strip_suffix(b":").filter(|head| !head.ends_with(b":"))) {
        run = head;
    }
    let groups: Vec<&[u8]> = run.split(|byte| *byte == b':').collect();
    let is_group = |group: &&[u8]| group.len() <= 4 && group.iter().all(u8::is_ascii_hexdigit);
    let (last, head) = groups.split_last()?;
    let is_v4 = last.contains(&b'.') && last.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    if !head.iter().all(is_group) || !is_v4 && !is_group(last) {
        return None;
    }
    let empty = groups.iter().filter(|group| group.is_empty()).count();
    let is_short = memchr::memmem::find_iter(run, b"::").count() == 1 && empty <= 2 && groups.len() <= 8;
    let digits = run.iter().filter(|byte| byte.is_ascii_digit()).count();
    let is_whole = empty == 0 && groups.len() == if is_v4 { 7 } else { 8 };
    let is_hardware = groups.len() == 6 && groups.iter().all(|group| group.len() == 2);
    (is_whole || is_hardware || is_short && digits > 0 && run.len() > 2).then_some(run.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_colons_are_told_from_times_and_paths_of_code() {
        for text in [
            "2001:db8::1",
            "fe80::1ff:fe23:4567:890a",
            "::1",
            "2001:0db8:85a3:0000:0000:8a2e:0370:7334",
            "::ffff:10.1.2.3",
            "00:1a:2b:3c:4d:5e",
        ] {
            assert_eq!(colon_address(text.as_bytes()), Some(text.len()), "{text}");
        }
        for text in ["12:34:56", "std::vector", "a::b", "::", "1:2", "10:20:30:40", "deadbeef", "abc:def"] {
            assert_eq!(colon_address(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn random_runs_are_told_from_words_ids_and_files() {
        for text in ["wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLE8KEY1", "qWzXtYpLmRbVkHsDfGjNcQaEuIoPlKjMhTgBvFrD"] {
            assert!(looks_random(text.as_bytes()), "{text}");
        }
        for text in [
            "InferenceRouterStreamTokensAndComputeXyz",
            "src/main/java/com/example/FooBar/BarBaz1",
            "resp_7a4e0c32-2bdc-46ab-aabb-dbbc225ce760",
            "mcp_list_7a4e0c32-2bdc-46ab-aabb-dbbc225ce760",
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ",
            "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
        ] {
            assert!(!looks_random(text.as_bytes()), "{text}");
        }
    }
}
