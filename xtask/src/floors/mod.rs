//! The floors of the project: which crate may depend on which, and which module may use which.
//!
//! `xtask/floors.txt` lists them from the highest to the lowest. A module may only use lower floors; names on one line share a floor and
//! may not use each other. All must be listed. Dependencies between crates are taken from the manifests.

mod data;
mod graph;
mod manifest;
mod source;
#[cfg(test)]
mod tests;

use crate::paths;
use anyhow::{Context, Result, bail};
use data::{CRATES, ROOT};
use graph::Graph;
use source::Sources;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Compares the sources with `floors.txt` and prints a summary; with `suggest`, also floors that would fit.
///
/// # Errors
/// Violations with their location, files that belong to no module, and crates without a section.
pub(crate) fn check(suggest: bool) -> Result<()> {
    let faults = report(&paths::root(), suggest)?;
    if faults.is_empty() {
        return Ok(());
    }
    bail!("{}\n{} faults. xtask/floors.txt lists the floors, and says what they mean.", faults.join("\n"), faults.len());
}

/// Prints the summary and returns the violations.
fn report(repository: &Path, suggest: bool) -> Result<Vec<String>> {
    let listed = repository.join("xtask/floors.txt");
    let text = fs::read_to_string(&listed).with_context(|| format!("{} cannot be read.", listed.display()))?;
    let sections = data::parse(&text)?;
    let folders = crate_folders(repository)?;
    let mut faults = Vec::new();
    println!("{:<34} {:>7} {:>7} {:>7} {:>7}", "", "floors", "names", "arrows", "cycles");
    for section in &sections {
        let graph = match section.name.as_str() {
            CRATES => of_crates(repository, &folders)?,
            folder => of_folder(repository, folder, &mut faults)?,
        };
        let arrows: usize = graph.pairs().values().map(BTreeSet::len).sum();
        let cycles = graph.cycles();
        print!("{:<34} {:>7} {:>7} {arrows:>7} {:>7}", section.name, section.floors.len(), graph.names.len(), cycles.len());
        match &section.pending {
            Some(reason) => println!("  not checked: {reason}"),
            None => {
                println!();
                faults.extend(graph.faults(section));
            }
        }
        if suggest {
            graph.floors().into_iter().for_each(|floor| println!("    {}", words(floor)));
            for cycle in cycles {
                println!("    # a cycle: {}", words(cycle.iter().copied()));
                for (from, to) in graph.pairs().into_iter().filter(|(from, _)| cycle.contains(from)) {
                    println!("    #   {from} uses {}", words(to.into_iter().filter(|to| cycle.contains(to))));
                }
            }
        }
    }
    for folder in &folders {
        let sources = format!("{folder}/src");
        if !sections.iter().any(|section| section.name == sources) {
            faults.push(format!("floors.txt: there is no section [{sources}]."));
        }
        faults.extend(unreached(repository, folder)?);
    }
    Ok(faults)
}

fn words<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    words.into_iter().collect::<Vec<_>>().join(" ")
}

/// Folders of the crates that must have a section: all below `crates` and `web`.
fn crate_folders(repository: &Path) -> Result<Vec<String>> {
    let mut folders = Vec::new();
    for parent in ["crates", "web"] {
        let path = repository.join(parent);
        for entry in fs::read_dir(&path).with_context(|| format!("{} cannot be listed.", path.display()))? {
            let entry = entry?;
            if entry.path().join("Cargo.toml").is_file() {
                folders.push(format!("{parent}/{}", entry.file_name().to_string_lossy()));
            }
        }
    }
    folders.sort();
    Ok(folders)
}

/// The dependencies between crates.
fn of_crates(repository: &Path, folders: &[String]) -> Result<Graph> {
    let mut graph = Graph::default();
    let mut manifests = Vec::new();
    for folder in folders.iter().map(String::as_str).chain(["xtask", "tests"]) {
        let file = format!("{folder}/Cargo.toml");
        let path = repository.join(&file);
        let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read.", path.display()))?;
        let name = manifest::name(&text).with_context(|| format!("{file} names no package."))?.to_owned();
        graph.names.insert(name.clone());
        manifests.push((file, name, text));
    }
    for (file, name, text) in &manifests {
        for dependency in
            manifest::dependencies(text).into_iter().filter(|dependency| graph.names.contains(&dependency.name)).collect::<Vec<_>>()
        {
            graph.add(name, &dependency.name, format!("{file}:{}", dependency.line));
        }
    }
    Ok(graph)
}

/// The dependencies between the modules directly below a source folder.
fn of_folder(repository: &Path, folder: &str, faults: &mut Vec<String>) -> Result<Graph> {
    let Some((krate, below)) = folder.split_once("/src") else { bail!("floors.txt: [{folder}] is no folder below a crate's src.") };
    let section: Vec<String> = below.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let mut graph = Graph::default();
    let roots = roots_of(&repository.join(krate).join("src"))?;
    if roots.is_empty() {
        faults.push(format!("floors.txt: [{folder}] is not there."));
    }
    for root in roots {
        let mut sources = Sources::default();
        source::read(&root, &mut sources)?;
        add_modules(&sources, &section, repository, &mut graph, faults);
    }
    Ok(graph)
}

/// Adds the dependencies between the modules directly below `section` in one crate.
fn add_modules(sources: &Sources, section: &[String], repository: &Path, graph: &mut Graph, faults: &mut Vec<String>) {
    let below = |module: &[String]| module.strip_prefix(section).and_then(|rest| rest.first()).cloned();
    graph.names.extend(sources.modules.keys().filter_map(|module| below(module)));
    for reference in &sources.references {
        let Some(from) = below(&reference.from) else { continue };
        let file = reference.file.strip_prefix(repository).unwrap_or(&reference.file);
        let at = format!("{}:{}", file.display(), reference.line);
        match target(sources, section, &reference.to) {
            Target::Module(to) => graph.add(&from, &to, at),
            Target::Root => {
                graph.names.insert(ROOT.to_owned());
                graph.add(&from, ROOT, at);
            }
            Target::Glob => faults.push(format!("{at}: globs from or in the section's root module hide what is used; name it.")),
            Target::Elsewhere => {}
        }
    }
}

/// The target of a path, relative to a section.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    /// A module directly below the section's root module.
    Module(String),
    /// An item of the section's root module.
    Root,
    /// The whole root module, or something in it that comes from a glob import.
    Glob,
    /// Outside of the section.
    Elsewhere,
}

/// Resolves a path from the crate's root through imports until it reaches the section.
fn target(sources: &Sources, section: &[String], path: &[String]) -> Target {
    let mut path = path.to_vec();
    // Longer than any reasonable chain of re-exports.
    for _ in 0..16 {
        let mut module: Vec<String> = Vec::new();
        let mut rest = path.iter();
        let next = loop {
            let Some(segment) = rest.next() else {
                return if module == section { Target::Glob } else { Target::Elsewhere };
            };
            let child = [module.as_slice(), std::slice::from_ref(segment)].concat();
            let is_section = module == section;
            if sources.modules.contains_key(&child) {
                if is_section {
                    return Target::Module(segment.clone());
                }
                module = child;
                continue;
            }
            let Some(here) = sources.modules.get(&module) else { return Target::Elsewhere };
            match here.imports.get(segment) {
                Some(Some(import)) => break [import.as_slice(), &rest.cloned().collect::<Vec<_>>()].concat(),
                Some(None) => return Target::Elsewhere,
                None if !is_section => return Target::Elsewhere,
                None if here.globs.is_empty() => return Target::Root,
                None => return Target::Glob,
            }
        };
        if next == path {
            return Target::Root;
        }
        path = next;
    }
    Target::Elsewhere
}

/// The root modules in a `src` folder.
fn roots_of(src: &Path) -> Result<Vec<PathBuf>> {
    let mut roots: Vec<PathBuf> = ["lib.rs", "main.rs"].iter().map(|name| src.join(name)).filter(|path| path.is_file()).collect();
    roots.extend(rust_files(&src.join("bin"), false)?);
    Ok(roots)
}

/// Files of a crate that no module declares: they are not compiled, and their tests never run.
fn unreached(repository: &Path, folder: &str) -> Result<Vec<String>> {
    let folder = repository.join(folder);
    let tests = folder.join("tests");
    let mut roots = roots_of(&folder.join("src"))?;
    match tests.join("main.rs") {
        main if main.is_file() => roots.push(main),
        _ => roots.extend(rust_files(&tests, false)?),
    }
    let mut sources = Sources::default();
    for root in roots {
        source::read(&root, &mut sources)?;
    }
    let mut files = rust_files(&folder.join("src"), true)?;
    files.extend(rust_files(&tests, true)?);
    let reached: BTreeSet<PathBuf> = sources.files.iter().filter_map(|file| file.canonicalize().ok()).collect();
    let lost = files.into_iter().filter(|file| file.canonicalize().is_ok_and(|file| !reached.contains(&file)));
    Ok(lost
        .map(|file| format!("{} belongs to no module, so it is never compiled.", file.strip_prefix(repository).unwrap_or(&file).display()))
        .collect())
}

/// The Rust files of a folder, recursively if `deep`; none if it does not exist.
fn rust_files(folder: &Path, deep: bool) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return Ok(files) };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() && deep {
            files.extend(rust_files(&path, true)?);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
