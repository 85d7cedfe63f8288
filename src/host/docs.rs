//! One model of everything that scripts can call, and of all scripts, made of their doc texts.
//!
//! `:help`, hints, the reference, editor definitions and the tests of examples are made of it.

use std::fmt::Write as _;
use std::sync::OnceLock;

use rhai::Engine;
use rhai::packages::{Package, StandardPackage};
use serde::Serialize;

use super::library::Library;
use super::params::Declared;
use super::runbook::{Runbook, doc_text, first_sentence};
use crate::error::Error;
use crate::ops::{self, DocText, OpModule, nearest};

/// What kind of thing a page is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PageKind {
    /// Functions of the host.
    Module,
    /// A runbook.
    Runbook,
    /// A permission source.
    Source,
    /// A binding finder.
    Finder,
    /// Another script of the standard library.
    Script,
}

/// One module or script.
#[derive(Debug, Clone, Serialize)]
pub struct Page {
    /// Its name: `arm`, `relocate`, `permissions/key_vault`.
    pub name: String,
    /// What it is.
    pub kind: PageKind,
    /// The first sentence.
    pub summary: String,
    /// The whole text, in Markdown.
    pub doc: String,
    /// How a runbook is started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
    /// What a script asks for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<Declared>,
    /// Its functions.
    pub functions: Vec<Function>,
}

/// One function.
#[derive(Debug, Clone, Serialize)]
pub struct Function {
    /// `arm::get`, or `list` in a script.
    pub path: String,
    /// `arm::get(path, options?) → map`.
    pub signature: String,
    /// What its text says.
    #[serde(flatten)]
    pub text: DocText,
}

/// Everything that is documented.
#[derive(Debug, Clone, Serialize)]
pub struct Docs {
    /// Pages: first the modules, in their order, then the scripts.
    pub pages: Vec<Page>,
}

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub enum Entry<'a> {
    /// A whole page.
    Page(&'a Page),
    /// One function of it.
    Function(&'a Page, &'a Function),
}

impl Docs {
    /// The modules of the host only: what needs no script to be read.
    pub fn of_modules(more: &[OpModule]) -> Self {
        Self {
            pages: ops::specs().iter().chain(more).map(module_page).collect(),
        }
    }

    pub(super) fn new(library: &Library, more: &[OpModule]) -> Result<Self, Error> {
        let mut docs = Self::of_modules(more);
        for key in library.loader().keys() {
            docs.pages.push(script_page(library, &key)?);
        }
        Ok(docs)
    }

    /// The page or function of this name: `arm`, `arm::get`, `relocate`, `key_vault`; or just `get` where only one
    /// module has it.
    ///
    /// # Errors
    /// `nothing-of-this-name`, with the nearest names.
    pub fn find(&self, name: &str) -> Result<Entry<'_>, Error> {
        let name = name.trim().trim_end_matches("()");
        let short = |page: &Page| page.name.rsplit('/').next().unwrap_or_default().to_owned();
        if let Some(page) = self.pages.iter().find(|page| page.name == name).or_else(|| {
            let mut found = self.pages.iter().filter(|page| short(page) == name);
            found.next().filter(|_| found.next().is_none())
        }) {
            return Ok(Entry::Page(page));
        }
        let all = || {
            self.pages
                .iter()
                .flat_map(|page| page.functions.iter().map(move |function| (page, function)))
        };
        if let Some((page, function)) = all().find(|(_, function)| function.path == name) {
            return Ok(Entry::Function(page, function));
        }
        let tail = |function: &Function| function.path.rsplit("::").next().unwrap_or_default().to_owned();
        let same: Vec<_> = all().filter(|(_, function)| tail(function) == name).collect();
        if let [(page, function)] = same.as_slice() {
            return Ok(Entry::Function(page, function));
        }
        let mut error = Error::refused("nothing-of-this-name", format!("nothing is called \"{name}\""));
        if same.is_empty() {
            let names: Vec<String> = self
                .pages
                .iter()
                .map(|page| page.name.clone())
                .chain(all().map(|(_, function)| function.path.clone()))
                .chain(all().map(|(_, function)| tail(function)))
                .collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            error
                .next
                .extend(nearest(name, &names).map(|near| format!("did you mean {near}?")));
            let found: Vec<String> = self
                .search(name)
                .iter()
                .take(5)
                .map(|entry| entry.name().to_owned())
                .collect();
            if !found.is_empty() {
                error.next.push(format!("it is mentioned by {}", found.join(", ")));
            }
        } else {
            error.message = format!("\"{name}\" is the name of {} functions", same.len());
            let same: Vec<&str> = same.iter().map(|(_, function)| function.path.as_str()).collect();
            error.next.push(format!("name one of {}", same.join(", ")));
        }
        Err(error)
    }

    /// What mentions all these words, best first: names before first sentences before texts.
    pub fn search(&self, words: &str) -> Vec<Entry<'_>> {
        let words: Vec<String> = words.to_lowercase().split_whitespace().map(str::to_owned).collect();
        let rank = |name: &str, summary: &str, also: &str, doc: &str| -> Option<u32> {
            let (name, summary, doc) = (name.to_lowercase(), summary.to_lowercase(), doc.to_lowercase());
            words.iter().try_fold(0, |sum, word| {
                let place = [name.as_str(), also, &summary, &doc]
                    .iter()
                    .position(|text| text.contains(word.as_str()))?;
                Some(sum + u32::try_from(place).unwrap_or(3))
            })
        };
        let mut found: Vec<(u32, Entry<'_>)> = Vec::new();
        for page in &self.pages {
            found.extend(rank(&page.name, &page.summary, "", &page.doc).map(|rank| (rank, Entry::Page(page))));
            for function in &page.functions {
                let text = &function.text;
                let rank = rank(&function.path, &text.summary, &text.also.join(" "), &text.doc);
                found.extend(rank.map(|rank| (rank, Entry::Function(page, function))));
            }
        }
        found.sort_by_key(|(rank, _)| *rank);
        found.into_iter().map(|(_, entry)| entry).collect()
    }

    /// The reference as Markdown: file names and texts, one file a page, and `index.md`.
    pub fn to_markdown(&self) -> Vec<(String, String)> {
        let mut files = Vec::new();
        let mut index = String::from("# Reference\n");
        for (title, kinds) in [
            ("Modules", &[PageKind::Module][..]),
            ("Runbooks", &[PageKind::Runbook]),
            ("Permission sources", &[PageKind::Source]),
            ("Binding finders", &[PageKind::Finder]),
            ("Other scripts", &[PageKind::Script]),
        ] {
            let pages: Vec<&Page> = self.pages.iter().filter(|page| kinds.contains(&page.kind)).collect();
            if pages.is_empty() {
                continue;
            }
            let _ = write!(index, "\n## {title}\n\n");
            for page in pages {
                let file = format!("{}.md", page.name.replace('/', "-"));
                let _ = writeln!(index, "- [{}]({file}): {}", page.name, page.summary);
                files.push((file, page.to_markdown()));
            }
        }
        files.insert(0, ("index.md".to_owned(), index));
        files
    }

    /// Definition files for editors: file names and texts, one file a module.
    pub fn to_definitions(&self) -> Vec<(String, String)> {
        let modules = self.pages.iter().filter(|page| page.kind == PageKind::Module);
        modules
            .map(|page| {
                let mut text = format!("/// {}\nmodule {};\n", page.doc, page.name);
                for function in &page.functions {
                    let name = function.path.rsplit("::").next().unwrap_or_default();
                    let params = &function.text.params;
                    let required = params.iter().filter(|param| !param.optional).count();
                    let returns = function
                        .text
                        .returns
                        .as_ref()
                        .map_or("()", |returns| returns.kind.as_str());
                    for arity in required..=params.len() {
                        let params: Vec<String> = params[..arity]
                            .iter()
                            .map(|param| format!("{}: {}", param.name, rhai_type(&param.kind)))
                            .collect();
                        text.push('\n');
                        for line in function.text.doc.lines() {
                            let _ = writeln!(text, "{}", format!("/// {line}").trim_end());
                        }
                        let _ = writeln!(text, "fn {name}({}) -> {};", params.join(", "), rhai_type(returns));
                    }
                }
                (format!("{}.d.rhai", page.name), text)
            })
            .collect()
    }

    /// The whole model as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// The name of a documented type in Rhai's own terms.
fn rhai_type(kind: &str) -> &str {
    match kind {
        "string" | "int" | "float" | "bool" | "map" | "array" | "()" => kind,
        "closure" => "Fn",
        // Words of ours, as principal or scope: strings or maps, which Rhai cannot say.
        _ => "?",
    }
}

impl Entry<'_> {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Entry::Page(page) => &page.name,
            Entry::Function(_, function) => &function.path,
        }
    }

    /// Its first sentence.
    pub fn summary(&self) -> &str {
        match self {
            Entry::Page(page) => &page.summary,
            Entry::Function(_, function) => &function.text.summary,
        }
    }

    /// As text for a terminal.
    pub fn to_text(&self) -> String {
        match self {
            Entry::Function(_, function) => format!("{}\n\n{}\n", function.signature, function.text.doc),
            Entry::Page(page) => {
                let mut text = format!("{}\n\n{}\n", page.usage.as_deref().unwrap_or(&page.name), page.doc);
                if !page.params.is_empty() {
                    text.push('\n');
                    for param in &page.params {
                        let _ = writeln!(text, "  {}", param_line(param));
                    }
                }
                if !page.functions.is_empty() {
                    text.push('\n');
                    for function in &page.functions {
                        let _ = writeln!(text, "  {}\n      {}", function.signature, function.text.summary);
                    }
                }
                text
            }
        }
    }

    /// As Markdown.
    pub fn to_markdown(&self) -> String {
        match self {
            Entry::Page(page) => page.to_markdown(),
            Entry::Function(_, function) => function.to_markdown(),
        }
    }
}

fn param_line(param: &Declared) -> String {
    let mut line = format!(
        "{}= ({}{})",
        param.name,
        param.kind.name(),
        if param.optional { ", optional" } else { "" }
    );
    if !param.help.is_empty() {
        let _ = write!(line, ": {}", param.help);
    }
    if !param.values.is_empty() {
        let _ = write!(line, " [{}]", param.values.join(", "));
    }
    if let Some(fallback) = &param.fallback {
        let _ = write!(line, " (else {fallback})");
    }
    line
}

impl Page {
    fn to_markdown(&self) -> String {
        let mut text = format!("# {}\n\n{}\n", self.name, self.doc);
        if let Some(usage) = &self.usage {
            let _ = write!(text, "\n```\n{usage}\n```\n");
        }
        if !self.params.is_empty() {
            text.push_str("\n## Parameters\n\n");
            for param in &self.params {
                let _ = writeln!(
                    text,
                    "- {}",
                    param_line(param).replacen(&param.name, &format!("`{}`", param.name), 1)
                );
            }
        }
        for function in &self.functions {
            text.push('\n');
            text.push_str(&function.to_markdown());
        }
        text
    }
}

impl Function {
    fn to_markdown(&self) -> String {
        format!("## `{}`\n\n{}\n", self.signature, self.text.doc)
    }
}

fn module_page(module: &OpModule) -> Page {
    let functions = module.functions.iter().map(|spec| {
        let lines: Vec<&str> = spec.doc.lines().collect();
        Function {
            path: spec.path(),
            signature: spec.signature(),
            text: DocText::parse(&lines),
        }
    });
    Page {
        name: module.name.clone(),
        kind: PageKind::Module,
        summary: first_sentence(&module.doc),
        doc: module.doc.clone(),
        usage: None,
        params: Vec::new(),
        functions: functions.collect(),
    }
}

fn script_page(library: &Library, key: &str) -> Result<Page, Error> {
    let script = library.compiled(key)?;
    let doc = doc_text(script.ast.doc());
    let name = key.strip_suffix(".rhai").unwrap_or(key);
    let (folder, stem) = name.rsplit_once('/').unwrap_or(("", name));
    let (kind, name) = match folder {
        "runbooks" => (PageKind::Runbook, stem.to_owned()),
        "stdlib/permissions" => (PageKind::Source, format!("permissions/{stem}")),
        "stdlib/bindings" => (PageKind::Finder, format!("bindings/{stem}")),
        _ => (
            PageKind::Script,
            name.strip_prefix("stdlib/").unwrap_or(name).to_owned(),
        ),
    };
    let usage = match kind {
        PageKind::Runbook => Some(Runbook::read(&name, &script)?.usage()),
        _ => None,
    };
    let mut functions: Vec<Function> = Vec::new();
    for function in script
        .ast
        .iter_functions()
        .filter(|function| function.access == rhai::FnAccess::Public)
    {
        let lines: Vec<String> = function
            .comments
            .iter()
            .flat_map(|comment| comment.lines())
            .map(|line| line.trim_start().trim_start_matches("///").to_owned())
            .collect();
        let text = DocText::parse(&lines);
        let returns = text
            .returns
            .as_ref()
            .map_or(String::new(), |returns| format!(" → {}", returns.kind));
        functions.push(Function {
            path: function.name.to_owned(),
            signature: format!("{}({}){returns}", function.name, function.params.join(", ")),
            text,
        });
    }
    functions.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Page {
        name,
        kind,
        summary: first_sentence(&doc),
        doc,
        usage,
        params: script.params()?,
        functions,
    })
}

/// The names of the functions that every script has: Rhai's standard library and ours.
pub fn standard_functions() -> &'static [String] {
    static NAMES: OnceLock<Vec<String>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let mut engine = Engine::new_raw();
        engine.register_global_module(StandardPackage::new().as_shared_module());
        let mut names: Vec<String> = engine.collect_fn_metadata(None, |f| Some(f.metadata.name.to_string()), true);
        names.extend(["assert", "assert_eq", "parse_json", "to_json"].map(str::to_owned));
        names.retain(|name| name.chars().next().is_some_and(char::is_alphabetic) && !name.contains('$'));
        names.sort();
        names.dedup();
        names
    })
}
