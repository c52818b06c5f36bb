//! Tests with small generated sources: what counts as a dependency, and which are refused.

use super::source::{self, Reference, Sources};
use super::{Graph, Target, add_modules, data, manifest, report, target};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A temporary folder, removed on drop.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Folder {
        let folder = Folder(std::env::temp_dir().join(format!("quipu-floors-{}-{name}", std::process::id())));
        for (file, text) in files {
            let path = folder.0.join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        folder
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn read(folder: &Folder) -> Sources {
    let mut sources = Sources::default();
    source::read(&folder.0.join("lib.rs"), &mut sources).expect("readable");
    sources
}

/// `from > to` for the modules below `section`.
fn arrows(folder: &Folder, section: &[&str]) -> Vec<String> {
    let (mut graph, mut faults) = (Graph::default(), Vec::new());
    let section: Vec<String> = section.iter().map(|name| (*name).to_owned()).collect();
    add_modules(&read(folder), &section, &folder.0, &mut graph, &mut faults);
    assert_eq!(faults, Vec::<String>::new());
    graph.pairs().into_iter().flat_map(|(from, to)| to.into_iter().map(move |to| format!("{from} > {to}"))).collect()
}

fn graph(arrows: &[(&str, &str)]) -> Graph {
    let mut graph = Graph::default();
    for (from, to) in arrows {
        graph.names.extend([(*from).to_owned(), (*to).to_owned()]);
        graph.add(from, to, "lib.rs:1".into());
    }
    graph
}

fn faults(graph: &Graph, floors: &str) -> Vec<String> {
    graph.faults(&data::parse(&format!("[src]\n{floors}")).expect("valid")[0])
}

#[test]
fn an_arrow_may_only_point_to_a_lower_floor() {
    assert_eq!(faults(&graph(&[("view", "index"), ("index", "model"), ("view", "model")]), "view\nindex\nmodel"), Vec::<String>::new());
    assert_eq!(
        faults(&graph(&[("model", "view")]), "view\nmodel"),
        ["lib.rs:1: model (floor 1) uses view (floor 2), which is above it in [src]."]
    );
    assert_eq!(faults(&graph(&[("sql", "view")]), "sql view"), ["lib.rs:1: sql uses view, and both are on floor 1 of [src]."]);
}

#[test]
fn everything_is_listed_and_nothing_else() {
    assert_eq!(
        faults(&graph(&[("view", "model")]), "view\nindex"),
        ["floors.txt: [src] does not list model.", "floors.txt: [src] lists index, which is not there."]
    );
}

#[test]
fn cycles_are_found_and_share_a_floor_in_what_is_suggested() {
    let graph = graph(&[
        ("session", "share"),
        ("share", "view"),
        ("view", "index"),
        ("index", "share"),
        ("index", "model"),
        ("sql", "model"),
    ]);
    assert_eq!(graph.cycles(), [BTreeSet::from(["index", "share", "view"])]);
    let floors: Vec<Vec<&str>> = graph.floors().into_iter().map(|floor| floor.into_iter().collect()).collect();
    assert_eq!(floors, [vec!["session"], vec!["index", "share", "sql", "view"], vec!["model"]].map(|floor| floor).to_vec());
}

#[test]
fn paths_are_read_in_all_their_forms() {
    let folder = Folder::new(
        "forms",
        &[
            (
                "lib.rs",
                "pub mod a;\nmod b { pub mod inner; pub struct B; }\nmod c;\nmod d;\nmod e;\npub use d::{Deep, deeper::Deepest as Low};\n",
            ),
            ("a.rs", "use crate::{b::{self, inner::{X, Y}}, c::C as _};\nfn f() { let x = crate::Deep; vec![super::e::E, $crate::Low]; }"),
            ("b/inner.rs", "use super::B;\nuse super::super::c;\nuse std::{self, fmt};\nuse ::d::X;"),
            (
                "c.rs",
                "// use crate::a;\n/* crate::a */ /// crate::a\nconst A: &str = \"crate::a\"; const B: &str = r#\"use crate::a;\"#; fn f<'a>() { let c = 'c'; }",
            ),
            ("d/mod.rs", "pub mod deeper; pub struct Deep;"),
            ("d/deeper.rs", "pub struct Deepest;"),
            (
                "e.rs",
                "#[derive(Debug)] pub(in crate::a) struct E;\n#[cfg(not(test))] use crate::c::C;\n#[serde(with = \"crate::a\")] struct S { #[x(crate::d::Deep)] y: u8 }",
            ),
        ],
    );
    assert_eq!(arrows(&folder, &[]), ["a > b", "a > c", "a > d", "a > e", "b > c", "e > c", "e > d"]);
    let sources = read(&folder);
    let line = |file: &str, to: &[&str]| {
        let is_it = |it: &&Reference| it.file.ends_with(file) && it.to == to;
        sources.references.iter().find(is_it).map(|it| it.line)
    };
    assert_eq!(line("a.rs", &["e", "E"]), Some(2));
    assert_eq!(line("inner.rs", &["c"]), Some(2));
}

#[test]
fn what_only_tests_use_is_no_arrow_but_its_files_are_reached() {
    let folder = Folder::new(
        "tests",
        &[
            ("lib.rs", "mod a; mod b; mod c;"),
            (
                "a.rs",
                "#[cfg(test)]\npub(crate) mod tests;\n#[cfg(test)]\nuse crate::b::{B, C};\n#[cfg(all(test, unix))]\nfn f<A, B>() -> crate::b::B { crate::b::g() }\n\
                 struct S { #[cfg(test)] b: crate::b::B, #[cfg(any(test, unix))] c: crate::c::C }\n#[cfg(test)] mod inline { use crate::b::B; }",
            ),
            ("a/tests.rs", "use crate::b::B; mod more;"),
            ("a/tests/more.rs", "use crate::b::B;"),
            ("b.rs", "#![cfg(test)]\nuse crate::a::A;"),
            ("c.rs", ""),
        ],
    );
    assert_eq!(arrows(&folder, &[]), ["a > c"]);
    assert_eq!(read(&folder).files.len(), 6);
}

#[test]
fn items_of_the_root_and_deeper_folders_have_floors_too() {
    let folder = Folder::new(
        "root",
        &[
            ("lib.rs", "mod index; mod view; pub use index::{Columns, lists::List}; pub(crate) const BUILD: &str = \"\";"),
            ("index/mod.rs", "mod columns; mod lists; pub use columns::Columns; pub struct Index;"),
            ("index/columns.rs", "use super::Index;"),
            ("index/lists.rs", "use super::Columns; pub struct List; fn f() { crate::view::g() }"),
            ("view.rs", "use crate::{BUILD, List};"),
        ],
    );
    assert_eq!(arrows(&folder, &[]), ["index > view", "view > (root)", "view > index"]);
    assert_eq!(arrows(&folder, &["index"]), ["columns > (root)", "lists > columns"]);
}

#[test]
fn a_glob_of_the_root_is_refused_because_it_hides_what_is_used() {
    let folder = Folder::new(
        "glob",
        &[
            ("lib.rs", "mod a; mod b; pub use b::*;"),
            ("a.rs", "use crate::B; use super::*;"),
            ("b.rs", "pub struct B;"),
        ],
    );
    let sources = read(&folder);
    assert_eq!(target(&sources, &[], &["B".to_owned()]), Target::Glob);
    assert_eq!(target(&sources, &[], &[]), Target::Glob);
}

#[test]
fn manifests_name_what_is_built_and_not_what_is_tested_with() {
    let text = "[package]\nname = \"web\"\n[dependencies]\n# core = 1\ncore.workspace = true\nother = { path = \"..\", package = \"real\" }\n\
        [target.'cfg(unix)'.dependencies]\nunix = \"1\" # why\n[dev-dependencies]\ntests = \"1\"\n[build-dependencies]\nbuild = \"1\"\n\
        [dependencies.table]\nversion = \"1\"\n[features]\nx = [\"dep:y\"]\n";
    let names: Vec<(String, usize)> = manifest::dependencies(text).into_iter().map(|it| (it.name, it.line)).collect();
    let names: Vec<(&str, usize)> = names.iter().map(|(name, line)| (name.as_str(), *line)).collect();
    assert_eq!(names, [("core", 5), ("real", 6), ("unix", 8), ("build", 12), ("table", 13)]);
    assert_eq!(manifest::name(text), Some("web"));
}

#[test]
fn a_repository_is_checked_as_a_whole() {
    let package = |name: &str, rest: &str| format!("[package]\nname = \"{name}\"\n{rest}");
    let floors = "[crates]\nweb xtask tests\ncore\n[crates/core/src]\nview\nmodel\n[web/app/src] pending: later\n";
    let up = package("core", "[dependencies]\nweb = { path = \"../../web/app\" }\n");
    let files = [
        ("xtask/floors.txt", floors.to_owned()),
        ("xtask/Cargo.toml", package("xtask", "")),
        ("tests/Cargo.toml", package("tests", "")),
        ("web/app/Cargo.toml", package("web", "")),
        ("web/app/src/main.rs", "mod state; mod pages;".to_owned()),
        ("web/app/src/state.rs", "use crate::pages::A;".to_owned()),
        ("web/app/src/pages.rs", "use crate::state::A;".to_owned()),
        ("crates/core/Cargo.toml", up),
        ("crates/core/src/lib.rs", "mod model; mod view;".to_owned()),
        ("crates/core/src/model.rs", "\nuse crate::view::V;".to_owned()),
        ("crates/core/src/view.rs", String::new()),
        ("crates/core/src/lost.rs", String::new()),
        ("crates/core/tests/main.rs", "mod listed;".to_owned()),
        ("crates/core/tests/listed.rs", String::new()),
        ("crates/core/tests/forgotten.rs", String::new()),
        ("crates/new/Cargo.toml", package("new", "")),
        ("crates/new/src/lib.rs", String::new()),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let folder = Folder::new("whole", &files);
    let slashes = |fault: String| fault.replace('\\', "/");
    let faults: Vec<String> = report(Path::new(&folder.0), true).expect("readable").into_iter().map(slashes).collect();
    assert_eq!(
        faults,
        [
            "floors.txt: [crates] does not list new.",
            "crates/core/Cargo.toml:4: core (floor 1) uses web (floor 2), which is above it in [crates].",
            "crates/core/src/model.rs:2: model (floor 1) uses view (floor 2), which is above it in [crates/core/src].",
            "crates/core/src/lost.rs belongs to no module, so it is never compiled.",
            "crates/core/tests/forgotten.rs belongs to no module, so it is never compiled.",
            "floors.txt: there is no section [crates/new/src].",
        ]
    );
}

#[test]
fn floors_are_read_or_refused_with_their_line() {
    let sections = data::parse("# words\n[a]\nx y # top\n\nz\n[b] pending: being split\n").expect("valid");
    assert_eq!(sections[0].floors, [vec!["x", "y"], vec!["z"]]);
    assert_eq!(sections[0].numbers().into_iter().collect::<Vec<_>>(), [("x", 2), ("y", 2), ("z", 1)]);
    assert_eq!(sections[1].pending.as_deref(), Some("being split"));
    for (text, reason) in [
        ("x", "floors.txt:1: this floor belongs to no section."),
        ("[a]\n[a]", "floors.txt:2: there are two sections [a]."),
        ("[a]\nx\nx", "floors.txt:3: x is on two floors of [a]."),
        ("[a", "floors.txt:1: the ] is missing."),
        ("[a] later", "floors.txt:1: only “pending: REASON” may follow a section's name."),
    ] {
        assert_eq!(data::parse(text).map_err(|error| error.to_string()), Err(reason.to_owned()));
    }
}
