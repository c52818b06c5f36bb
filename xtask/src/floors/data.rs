//! Parses `floors.txt`.
//!
//! `source` reads the sources, `check` compares them.

use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;

/// Name of the section about the crates of the workspace.
pub(super) const CRATES: &str = "crates";
/// Stands for the items of a section's root module: `lib.rs`, `main.rs` or `mod.rs`.
pub(super) const ROOT: &str = "(root)";

/// A section: the crates of the workspace, or the modules directly below a source folder.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Section {
    /// [`CRATES`], or a folder such as `crates/quipu/src`.
    pub(super) name: String,
    /// From the highest floor to the lowest.
    pub(super) floors: Vec<Vec<String>>,
    /// Why the section is not checked yet.
    pub(super) pending: Option<String>,
}

impl Section {
    /// The number of each name's floor, 1 for the lowest.
    pub(super) fn numbers(&self) -> BTreeMap<&str, usize> {
        let numbered = self.floors.iter().rev().enumerate();
        numbered.flat_map(|(below, names)| names.iter().map(move |name| (name.as_str(), below + 1))).collect()
    }
}

/// Parses `floors.txt`.
///
/// # Errors
/// If a line is invalid; the message contains its number.
pub(super) fn parse(text: &str) -> Result<Vec<Section>> {
    let mut sections: Vec<Section> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let number = number + 1;
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(rest) = line.strip_prefix('[') {
            let (name, rest) = rest.split_once(']').with_context(|| format!("floors.txt:{number}: the ] is missing."))?;
            if sections.iter().any(|known| known.name == name) {
                bail!("floors.txt:{number}: there are two sections [{name}].");
            }
            let pending = match rest.trim() {
                "" => None,
                rest => match rest.strip_prefix("pending:").map(str::trim) {
                    Some(reason) if !reason.is_empty() => Some(reason.to_owned()),
                    _ => bail!("floors.txt:{number}: only “pending: REASON” may follow a section's name."),
                },
            };
            sections.push(Section { name: name.to_owned(), floors: Vec::new(), pending });
        } else if !line.is_empty() {
            let section = sections.last_mut().with_context(|| format!("floors.txt:{number}: this floor belongs to no section."))?;
            let names: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            if let Some(twice) = names.iter().find(|name| section.floors.iter().flatten().any(|known| known == *name)) {
                bail!("floors.txt:{number}: {twice} is on two floors of [{}].", section.name);
            }
            section.floors.push(names);
        }
    }
    Ok(sections)
}
