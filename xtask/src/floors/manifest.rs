//! Reads the workspace dependencies of a manifest, except for dev-dependencies, where cargo allows cycles.

/// A dependency's key and line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dependency {
    pub(super) name: String,
    /// Line number, from 1.
    pub(super) line: usize,
}

/// The name of the package.
pub(super) fn name(text: &str) -> Option<&str> {
    let mut lines = text.lines().skip_while(|line| line.trim() != "[package]");
    let line = lines.find(|line| line.starts_with("name "))?;
    line.split('"').nth(1)
}

/// All dependencies, including those for targets and build scripts.
pub(super) fn dependencies(text: &str) -> Vec<Dependency> {
    let mut found = Vec::new();
    let mut is_table = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let mut add = |name: &str| found.push(Dependency { name: name.trim().trim_matches('"').to_owned(), line: number + 1 });
        if let Some(table) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            is_table = ["dependencies", "build-dependencies"].iter().any(|kind| table == *kind || table.ends_with(&format!(".{kind}")));
            // [dependencies.name]
            if let Some((before, name)) = table.rsplit_once('.')
                && ["dependencies", "build-dependencies"].contains(&before)
            {
                add(name);
            }
        } else if is_table && let Some((key, value)) = line.split_once('=') {
            let renamed = value.split_once("package").and_then(|(_, rest)| rest.split('"').nth(1));
            add(renamed.unwrap_or_else(|| key.split('.').next().unwrap_or_default()));
        }
    }
    found
}
