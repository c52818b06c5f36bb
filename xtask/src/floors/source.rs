//! Reads the modules of a crate and the paths they use: `use` items, and paths that start with `crate`, `super` or `self`, also in macros.
//!
//! Sources are parsed into tokens with proc-macro2, so comments and strings are not mistaken for code. Items under `#[cfg(test)]` are
//! skipped. Types and scopes are not resolved: a path that starts with any other name, except a child module, is assumed to leave the
//! crate.

use anyhow::{Context, Result, bail};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A module path relative to the crate's root.
pub(super) type ModulePath = Vec<String>;

/// The modules and paths of a crate.
#[derive(Default)]
pub(super) struct Sources {
    /// All modules compiled without `cfg(test)`; the root has the empty path.
    pub(super) modules: BTreeMap<ModulePath, Module>,
    /// All paths into the crate.
    pub(super) references: Vec<Reference>,
    /// All files reached through `mod`, including tests.
    pub(super) files: BTreeSet<PathBuf>,
}

/// The imports of a module.
#[derive(Default)]
pub(super) struct Module {
    /// Imported names and their targets; `None` for those outside of the crate.
    pub(super) imports: BTreeMap<String, Option<ModulePath>>,
    /// Targets of glob imports within the crate.
    pub(super) globs: Vec<ModulePath>,
}

/// A path to something in the crate.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// The module that contains it.
    pub(super) from: ModulePath,
    /// Segments from the crate's root.
    pub(super) to: ModulePath,
    pub(super) file: PathBuf,
    /// Line number, from 1.
    pub(super) line: usize,
}

/// Reads the crate with the root module `root`.
///
/// # Errors
/// If a file can't be read, or a declared module has no file.
pub(super) fn read(root: &Path, into: &mut Sources) -> Result<()> {
    let context = ModuleContext { module: Vec::new(), file: root.to_owned(), below: parent(root), is_test: false };
    read_file(context, into)
}

fn parent(path: &Path) -> PathBuf {
    path.parent().map(Path::to_owned).unwrap_or_default()
}

/// Context of the tokens being read.
#[derive(Clone)]
struct ModuleContext {
    module: ModulePath,
    file: PathBuf,
    /// Folder of the files of child modules.
    below: PathBuf,
    /// Whether the module is only compiled for tests: then its files count as reached, but its paths are ignored.
    is_test: bool,
}

fn read_file(context: ModuleContext, into: &mut Sources) -> Result<()> {
    let text = fs::read_to_string(&context.file).with_context(|| format!("{} cannot be read.", context.file.display()))?;
    let tokens = text.parse().map_err(|error| anyhow::anyhow!("{} is not Rust: {error}.", context.file.display()))?;
    into.files.insert(context.file.clone());
    read_module(&context, tokens, into)
}

/// Reads the items of a module. Child modules are collected first, because they are needed to resolve paths.
fn read_module(context: &ModuleContext, tokens: TokenStream, into: &mut Sources) -> Result<()> {
    let mut scan = Scan { context, children: Vec::new(), names: BTreeSet::new(), paths: Vec::new() };
    scan.items(tokens, true)?;
    let Scan { children, names, paths, .. } = scan;
    if !context.is_test {
        let module = into.modules.entry(context.module.clone()).or_default();
        for PathUse { path, alias, is_glob, is_use, line } in paths {
            let Some(to) = absolute(&context.module, &path, is_use, &names) else {
                if let Some(alias) = alias {
                    module.imports.entry(alias).or_insert(None);
                }
                continue;
            };
            if is_glob {
                module.globs.push(to.clone());
            } else if let Some(alias) = alias {
                module.imports.insert(alias, Some(to.clone()));
            }
            into.references.push(Reference { from: context.module.clone(), to, file: context.file.clone(), line });
        }
    }
    for child in children {
        let mut module = context.module.clone();
        module.push(child.name.clone());
        let is_test = context.is_test || child.is_test;
        let below = context.below.join(&child.name);
        match child.body {
            Some(body) => read_module(&ModuleContext { module, file: context.file.clone(), below, is_test }, body, into)?,
            None => {
                let candidates = match &child.path {
                    Some(path) => vec![parent(&context.file).join(path)],
                    None => vec![below.with_extension("rs"), below.join("mod.rs")],
                };
                let Some(file) = candidates.into_iter().find(|file| file.is_file()) else {
                    bail!("{} declares the module {}, which has no file.", context.file.display(), child.name);
                };
                let below = if child.path.is_some() { parent(&file) } else { below };
                read_file(ModuleContext { module, file, below, is_test }, into)?;
            }
        }
    }
    Ok(())
}

/// The path from the crate's root; `None` if it leaves the crate.
fn absolute(module: &[String], path: &[String], is_use: bool, children: &BTreeSet<String>) -> Option<ModulePath> {
    let (first, rest) = path.split_first()?;
    let mut to = match first.as_str() {
        "crate" => Vec::new(),
        "self" => module.to_vec(),
        "super" => module.split_last()?.1.to_vec(),
        child if is_use && children.contains(child) => [module, &[child.to_owned()]].concat(),
        _ => return None,
    };
    for segment in rest {
        match segment.as_str() {
            "super" => drop(to.pop()?),
            "self" => {}
            _ => to.push(segment.clone()),
        }
    }
    Some(to)
}

/// A child module declared in the current one.
struct Child {
    name: String,
    /// Its inline body; `None` if it has a file.
    body: Option<TokenStream>,
    /// The attribute `path`.
    path: Option<String>,
    is_test: bool,
}

/// A path as written.
struct PathUse {
    path: Vec<String>,
    /// The name it introduces, for `use` items of the module itself.
    alias: Option<String>,
    is_glob: bool,
    is_use: bool,
    line: usize,
}

struct Scan<'p> {
    context: &'p ModuleContext,
    children: Vec<Child>,
    names: BTreeSet<String>,
    paths: Vec<PathUse>,
}

impl Scan<'_> {
    /// `of_module` is false inside braces, where `use` introduces no names into the module.
    fn items(&mut self, tokens: TokenStream, of_module: bool) -> Result<()> {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        let (mut is_test, mut path) = (false, None);
        while let Some(token) = tokens.get(at) {
            if let Some((attribute, is_inner, next)) = attribute(&tokens, at) {
                // An inner `#![cfg(test)]` applies to the rest.
                match (is_cfg_test(&attribute), is_inner) {
                    (true, true) => return Ok(()),
                    (true, false) => is_test = true,
                    (false, _) => path = path_in(&attribute).or(path),
                }
                if !is_test {
                    self.items(attribute.into_iter().collect(), false)?;
                }
                at = next;
                continue;
            }
            if let Some((child, next)) = module(&tokens, at) {
                let child = Child { path: path.take(), is_test, ..child };
                is_test = false;
                self.names.insert(child.name.clone());
                self.children.push(child);
                at = next;
                continue;
            }
            // The visibility is between an attribute and its item.
            if is(token, "pub") {
                let is_group = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis);
                at += 1 + usize::from(tokens.get(at + 1).is_some_and(is_group));
                continue;
            }
            if is_test {
                at = end_of_item(&tokens, at);
                is_test = false;
                continue;
            }
            path = None;
            if is(token, "use") && !tokens.get(at + 1).is_some_and(|next| is(next, "<")) {
                at += 1;
                self.use_tree(&tokens, &mut at, &[], of_module)?;
                continue;
            }
            if is_start(token) && is_path_separator(&tokens, at + 1) {
                let line = token.span().start().line;
                let mut path = Vec::new();
                while let Some(TokenTree::Ident(segment)) = tokens.get(at) {
                    path.push(segment.to_string());
                    at += 1;
                    if !is_path_separator(&tokens, at) {
                        break;
                    }
                    at += 2;
                }
                self.paths.push(PathUse { path, alias: None, is_glob: false, is_use: false, line });
                continue;
            }
            if let TokenTree::Group(group) = token {
                self.items(group.stream(), false)?;
            }
            at += 1;
        }
        Ok(())
    }

    /// A `use` tree, with its prefix: `a::{b, c as d}`, `a::*`.
    fn use_tree(&mut self, tokens: &[TokenTree], at: &mut usize, before: &[String], of_module: bool) -> Result<()> {
        let mut path = before.to_vec();
        loop {
            let Some(token) = tokens.get(*at) else { return Ok(()) };
            let line = token.span().start().line;
            match token {
                TokenTree::Ident(segment) => {
                    path.push(segment.to_string());
                    *at += 1;
                    if is_path_separator(tokens, *at) {
                        *at += 2;
                        continue;
                    }
                    let mut alias = path.iter().rev().find(|segment| *segment != "self").cloned();
                    if tokens.get(*at).is_some_and(|token| is(token, "as")) {
                        alias = tokens.get(*at + 1).map(ToString::to_string);
                        *at += 2;
                    }
                    self.paths.push(PathUse { path, alias: alias.filter(|_| of_module), is_glob: false, is_use: true, line });
                    return Ok(());
                }
                TokenTree::Punct(punct) if punct.as_char() == '*' => {
                    *at += 1;
                    self.paths.push(PathUse { path, alias: None, is_glob: true, is_use: true, line });
                    return Ok(());
                }
                // `use ::name` refers to another crate.
                TokenTree::Punct(punct) if punct.as_char() == ':' => *at += 1,
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    *at += 1;
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    let mut inside = 0;
                    while inside < inner.len() {
                        if inner.get(inside).is_some_and(|token| is(token, ",")) {
                            inside += 1;
                            continue;
                        }
                        self.use_tree(&inner, &mut inside, &path, of_module)?;
                    }
                    return Ok(());
                }
                other => bail!("{}:{line} holds a use item that is not understood, at {other}.", self.context.file.display()),
            }
        }
    }
}

fn is(token: &TokenTree, text: &str) -> bool {
    match token {
        TokenTree::Ident(ident) => ident == text,
        TokenTree::Punct(punct) => text.len() == 1 && text.starts_with(punct.as_char()),
        _ => false,
    }
}

fn is_start(token: &TokenTree) -> bool {
    ["crate", "super", "self"].iter().any(|start| is(token, start))
}

fn is_path_separator(tokens: &[TokenTree], at: usize) -> bool {
    tokens.get(at..at + 2).is_some_and(|two| two.iter().all(|token| is(token, ":")))
}

/// The attribute that starts here: its tokens, whether it is an inner one, and its end.
fn attribute(tokens: &[TokenTree], at: usize) -> Option<(Vec<TokenTree>, bool, usize)> {
    if !is(tokens.get(at)?, "#") {
        return None;
    }
    let is_inner = is(tokens.get(at + 1)?, "!");
    let at = at + 1 + usize::from(is_inner);
    match tokens.get(at)? {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
            Some((group.stream().into_iter().collect(), is_inner, at + 1))
        }
        _ => None,
    }
}

/// `cfg(test)`, or a `cfg` that contains it outside of `not(…)` and `any(…)`.
fn is_cfg_test(attribute: &[TokenTree]) -> bool {
    fn holds(tokens: Vec<TokenTree>) -> bool {
        let mut before = None;
        for token in tokens {
            match &token {
                TokenTree::Ident(ident) if ident == "test" => return true,
                TokenTree::Group(group)
                    if before.as_ref().is_some_and(|before| is(before, "all")) && holds(group.stream().into_iter().collect()) =>
                {
                    return true;
                }
                _ => {}
            }
            before = Some(token);
        }
        false
    }
    match attribute {
        [name, TokenTree::Group(group)] => is(name, "cfg") && holds(group.stream().into_iter().collect()),
        _ => false,
    }
}

/// The value of `path = "…"`.
fn path_in(attribute: &[TokenTree]) -> Option<String> {
    match attribute {
        [name, equals, TokenTree::Literal(literal)] if is(name, "path") && is(equals, "=") => {
            Some(literal.to_string().trim_matches('"').to_owned())
        }
        _ => None,
    }
}

/// The module declared here, and the end of the item.
fn module(tokens: &[TokenTree], at: usize) -> Option<(Child, usize)> {
    if !is(tokens.get(at)?, "mod") {
        return None;
    }
    let TokenTree::Ident(name) = tokens.get(at + 1)? else { return None };
    let body = match tokens.get(at + 2)? {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group.stream()),
        end if is(end, ";") => None,
        _ => return None,
    };
    Some((Child { name: name.to_string(), body, path: None, is_test: false }, at + 3))
}

/// The end of the item, field or variant that starts here.
fn end_of_item(tokens: &[TokenTree], at: usize) -> usize {
    let is_item = |token: &TokenTree| {
        ["fn", "impl", "struct", "enum", "union", "trait", "use", "const", "static", "type", "mod"].iter().any(|word| is(token, word))
    };
    let mut seen_item = false;
    for (length, token) in tokens.iter().skip(at).enumerate() {
        seen_item |= is_item(token);
        let ends = match token {
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            _ => is(token, ";") || (is(token, ",") && !seen_item),
        };
        if ends {
            return at + length + 1;
        }
    }
    tokens.len()
}
