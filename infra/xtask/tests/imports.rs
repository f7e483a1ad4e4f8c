//! No crate has a circle of imports between its modules, and no shared crate depends on one of another folder.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

type Module = Vec<String>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Folders that hold a crate.
fn crates() -> Vec<PathBuf> {
    let folders = ["functions", "shared", "infra"].map(|folder| fs::read_dir(root().join(folder)).unwrap());
    let folders = folders.into_iter().flatten().map(|entry| entry.unwrap().path());
    folders.filter(|folder| folder.join("Cargo.toml").is_file()).collect()
}

/// The modules below a folder, by path, without binaries and tests.
fn modules(folder: &Path, at: &[String], found: &mut BTreeMap<Module, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && stem != "bin" && stem != "tests" {
            modules(&path, &[at, &[stem]].concat(), found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && stem != "tests" {
            let own = matches!(stem.as_str(), "lib" | "main" | "mod");
            let module = if own { at.to_vec() } else { [at, &[stem]].concat() };
            found.insert(module, code(&fs::read_to_string(&path).unwrap()));
        }
    }
}

/// A source without comments and tests.
fn code(source: &str) -> String {
    let source = source.split("\n#[cfg(test)]").next().unwrap_or_default();
    source.lines().map(|line| line.split("//").next().unwrap_or_default().to_owned() + "\n").collect()
}

/// The modules that a module names from `crate` or `super` on. The crate's root, which only gathers, is none.
fn imports(module: &Module, source: &str, all: &BTreeMap<Module, String>) -> BTreeSet<Module> {
    let mut found = BTreeSet::new();
    for start in ["crate::", "super::"] {
        for (at, _) in source.match_indices(start) {
            let before = source[..at].chars().next_back().unwrap_or(' ');
            if before.is_alphanumeric() || matches!(before, '_' | ':' | '$') {
                continue;
            }
            let (mut paths, mut rest) = (Vec::new(), &source[at..]);
            tree(&mut rest, &[], &mut paths);
            found.extend(paths.iter().map(|path| resolve(module, path, all)));
        }
    }
    found.retain(|other| !other.is_empty() && other != module);
    found
}

/// The paths of a tree such as `a::{b, c::d}` at the beginning of a text.
fn tree(text: &mut &str, before: &[String], paths: &mut Vec<Module>) {
    let mut path = before.to_vec();
    loop {
        *text = text.trim_start();
        if let Some(inner) = text.strip_prefix('{') {
            *text = inner;
            while !text.trim_start().starts_with('}') && !text.is_empty() {
                tree(text, &path, paths);
                *text = text.trim_start().strip_prefix(',').unwrap_or(text);
            }
            *text = text.trim_start().strip_prefix('}').unwrap_or(text);
            return;
        }
        let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(text.len());
        if end == 0 {
            // `*`, or a type's bracket.
            *text = text.get(1..).unwrap_or_default();
        }
        path.push(text[..end].to_owned());
        *text = &text[end..];
        let Some(rest) = text.strip_prefix("::") else { break };
        *text = rest;
    }
    if let Some(rest) = text.strip_prefix(" as ") {
        *text = rest.trim_start_matches(|letter: char| letter.is_alphanumeric() || letter == '_');
    }
    paths.push(path);
}

/// The innermost module that a path leads to.
fn resolve(module: &Module, path: &[String], all: &BTreeMap<Module, String>) -> Module {
    let mut at = if path[0] == "crate" { Vec::new() } else { module.clone() };
    for part in path.iter().skip(usize::from(path[0] == "crate")) {
        if part == "super" {
            at.pop();
            continue;
        }
        at.push(part.clone());
        if !all.contains_key(&at) {
            at.pop();
            break;
        }
    }
    at
}

/// The shortest way from a module back to itself.
fn circle(from: &Module, edges: &BTreeMap<&Module, BTreeSet<Module>>) -> Option<Vec<String>> {
    let mut ways = VecDeque::from([vec![from]]);
    let mut met = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for next in edges.get(way[way.len() - 1]).into_iter().flatten() {
            if next == from {
                return Some(way.iter().chain([&next]).map(|module| module.join("::")).collect());
            }
            if met.insert(next) {
                ways.push_back(way.iter().copied().chain([next]).collect());
            }
        }
    }
    None
}

#[test]
fn no_modules_import_each_other_in_a_circle() {
    let mut circles = BTreeSet::new();
    let mut count = 0;
    for folder in crates() {
        let mut all = BTreeMap::new();
        modules(&folder.join("src"), &[], &mut all);
        let edges: BTreeMap<_, _> =
            all.iter().map(|(module, source)| (module, imports(module, source, &all))).collect();
        count += edges.values().map(BTreeSet::len).sum::<usize>();
        let name = folder.strip_prefix(root()).unwrap().display().to_string();
        circles
            .extend(all.keys().filter_map(|module| circle(module, &edges)).map(|way| (name.clone(), way.join(" → "))));
    }
    assert!(count > 300, "only {count} imports were found: the reader of sources is broken");
    assert!(circles.is_empty(), "circles of imports: {circles:#?}");
}

#[test]
fn what_is_shared_depends_on_what_is_shared() {
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let others: Vec<_> = workspace
        .lines()
        .filter(|line| line.contains("path = \"functions/") || line.contains("path = \"infra/"))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(others.len() > 5, "{others:?}");
    for folder in crates().iter().filter(|folder| folder.starts_with(root().join("shared"))) {
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let dependencies = dependencies.split("\n[").next().unwrap_or_default();
        let up: Vec<_> = dependencies.lines().filter_map(|line| line.split(['.', ' ']).next()).collect();
        assert!(up.iter().all(|name| !others.contains(name)), "{}: {up:?}", folder.display());
    }
}
