//! What is known about each function that scripts can call, read from the one text above it.
//!
//! The text has a fixed shape: a first sentence, lines that begin with `*`, and examples fenced as `rhai`.
//! Metadata of the engine, help, reference, editor definitions and tests are all made of this model.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::call::{Call, Output};
use crate::error::Error;

/// The Rust side of a function: it takes its arguments from the call and returns a value or an error.
pub type Body = Arc<dyn Fn(&Call<'_>) -> Result<Output, Error> + Send + Sync>;

/// One module that scripts see, as `arm`.
#[derive(Debug, Clone, Serialize)]
pub struct OpModule {
    /// The name that stands before `::`.
    pub name: String,
    /// One sentence: what the module is for.
    pub doc: String,
    /// Its functions, in the order of the source.
    pub functions: Vec<OpSpec>,
}

/// One function that scripts can call.
#[derive(Clone, Serialize)]
pub struct OpSpec {
    /// The module's name.
    pub module: String,
    /// The function's name.
    pub name: String,
    /// First sentence: what it does, third person.
    pub summary: String,
    /// The whole text as written, without `///`, in Markdown.
    pub doc: String,
    /// The parameters, in order; the optional ones are last.
    pub params: Vec<Param>,
    /// What it returns.
    pub returns: Option<Returns>,
    /// The codes of the errors that it throws.
    pub errors: Vec<String>,
    /// Whether it changes anything in Azure, and how that is undone: `no`, or `yes; undone by …`.
    pub changes: String,
    /// The API and version it speaks to.
    pub speaks: Option<String>,
    /// More words to find it by.
    pub also: Vec<String>,
    /// Examples; each is a test.
    pub examples: Vec<Example>,
    #[serde(skip)]
    body: Body,
}

/// One parameter of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Its type: `string`, `int`, `map`, `array`, `closure`, `principal`, …
    pub kind: String,
    /// Whether it may be left out.
    pub optional: bool,
    /// What it means.
    pub doc: String,
}

/// What a function returns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Returns {
    /// Its type.
    pub kind: String,
    /// What it holds.
    pub doc: String,
}

/// One example in a doc text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Example {
    /// The estate it runs on, from `// estate: NAME`.
    pub estate: Option<String>,
    /// The code of the error that it must end with, from `// fails: CODE`.
    pub fails: Option<String>,
    /// Why it is not run, from `// no_run: WHY`.
    pub no_run: Option<String>,
    /// The script, with those comments.
    pub code: String,
}

impl fmt::Debug for OpSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.signature())
    }
}

impl OpModule {
    /// A module of these functions.
    pub fn new(name: &str, doc: &str, functions: Vec<OpSpec>) -> Self {
        Self {
            name: name.to_owned(),
            doc: doc.to_owned(),
            functions,
        }
    }

    /// The function of this name.
    pub fn function(&self, name: &str) -> Option<&OpSpec> {
        self.functions.iter().find(|spec| spec.name == name)
    }
}

impl OpSpec {
    /// Reads a function's specification from the lines of its doc text.
    pub fn parse<F>(module: &str, name: &str, lines: &[&str], body: F) -> Self
    where
        F: Fn(&Call<'_>) -> Result<Output, Error> + Send + Sync + 'static,
    {
        let text = DocText::parse(lines);
        Self {
            module: module.to_owned(),
            name: name.to_owned(),
            summary: text.summary,
            doc: text.doc,
            params: text.params,
            returns: text.returns,
            errors: text.errors,
            changes: text.changes.unwrap_or_default(),
            speaks: text.speaks,
            also: text.also,
            examples: text.examples,
            body: Arc::new(body),
        }
    }

    /// `module::name`, as scripts write it.
    pub fn path(&self) -> String {
        format!("{}::{}", self.module, self.name)
    }

    /// The call as it is documented: `arm::get(path, options?) → map`.
    pub fn signature(&self) -> String {
        let params: Vec<String> = self
            .params
            .iter()
            .map(|param| format!("{}{}", param.name, if param.optional { "?" } else { "" }))
            .collect();
        let returns = self
            .returns
            .as_ref()
            .map_or(String::new(), |returns| format!(" → {}", returns.kind));
        format!("{}({}){returns}", self.path(), params.join(", "))
    }

    /// With how many arguments it may be called.
    pub fn arities(&self) -> std::ops::RangeInclusive<usize> {
        let required = self.params.iter().filter(|param| !param.optional).count();
        required..=self.params.len()
    }

    /// The function itself.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// What the doc text lacks; empty where it is whole.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut check = |bad: bool, what: &str| {
            if bad {
                problems.push(format!("{}: {what}", self.path()));
            }
        };
        check(self.summary.is_empty(), "has no first sentence");
        check(
            !self.summary.is_empty() && !self.summary.ends_with('.'),
            "its first sentence has no full stop",
        );
        check(
            self.summary.chars().count() >= 90,
            "its first sentence is 90 characters or longer",
        );
        check(self.returns.is_none(), "does not say what it returns");
        check(self.changes.is_empty(), "does not say whether it changes anything");
        check(self.examples.is_empty(), "has no example");
        check(
            self.examples.iter().any(|e| e.no_run.as_deref() == Some("")),
            "has a no_run example without a reason",
        );
        check(
            self.params.iter().any(|param| param.doc.is_empty()),
            "has a parameter without a description",
        );
        check(
            self.params
                .iter()
                .skip_while(|param| !param.optional)
                .any(|param| !param.optional),
            "has a required parameter after an optional one",
        );
        problems
    }
}

/// The parts of a doc text. Script functions are documented in the same shape as native ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DocText {
    /// The first sentence.
    pub summary: String,
    /// The whole text.
    pub doc: String,
    /// The parameters that it names.
    pub params: Vec<Param>,
    /// What is returned.
    pub returns: Option<Returns>,
    /// Codes of errors.
    pub errors: Vec<String>,
    /// What is changed.
    pub changes: Option<String>,
    /// The API it speaks to.
    pub speaks: Option<String>,
    /// More words to find it by.
    pub also: Vec<String>,
    /// Examples.
    pub examples: Vec<Example>,
}

impl DocText {
    /// Reads a doc text; each line is without its `///`.
    pub fn parse<S: AsRef<str>>(lines: &[S]) -> Self {
        let lines: Vec<&str> = lines
            .iter()
            .flat_map(|line| line.as_ref().lines())
            .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end())
            .collect();
        let mut text = Self {
            doc: lines.join("\n").trim().to_owned(),
            ..Self::default()
        };
        let mut summary: Vec<&str> = Vec::new();
        let mut in_summary = true;
        let mut bullet: Option<String> = None;
        let mut rest = lines.iter();
        while let Some(line) = rest.next() {
            if let Some(info) = line.trim_start().strip_prefix("```") {
                text.bullet(bullet.take());
                let code: Vec<&str> = rest
                    .by_ref()
                    .take_while(|line| line.trim_start() != "```")
                    .copied()
                    .collect();
                let words: Vec<&str> = info.split([',', ' ']).collect();
                if words.first() == Some(&"rhai") {
                    text.examples.push(Example::parse(&code, words.contains(&"no_run")));
                }
                in_summary = false;
            } else if let Some(item) = line.strip_prefix("* ") {
                text.bullet(bullet.replace(item.to_owned()));
                in_summary = false;
            } else if line.trim().is_empty() {
                text.bullet(bullet.take());
                in_summary = in_summary && summary.is_empty();
            } else if let Some(open) = &mut bullet {
                open.push(' ');
                open.push_str(line.trim());
            } else if in_summary {
                summary.push(line.trim());
            }
        }
        text.bullet(bullet);
        let summary = summary.join(" ");
        text.summary = match summary.find(". ") {
            Some(end) => summary[..=end].to_owned(),
            None => summary,
        };
        text
    }

    fn bullet(&mut self, item: Option<String>) {
        let Some(item) = item else { return };
        let (head, doc) = item.split_once(':').unwrap_or((&item, ""));
        let (head, doc) = (head.trim(), doc.trim().to_owned());
        let list = |text: &str| -> Vec<String> {
            text.split(',')
                .map(|word| word.trim().trim_matches('`').to_owned())
                .filter(|w| !w.is_empty())
                .collect()
        };
        let (word, kind) = match head.split_once('(') {
            Some((word, kind)) => (word.trim(), kind.strip_suffix(')').unwrap_or(kind).trim().to_owned()),
            None => (head, String::new()),
        };
        match word {
            "returns" => self.returns = Some(Returns { kind, doc }),
            "errors" => self.errors = list(&doc),
            "changes" => self.changes = Some(doc),
            "speaks" => self.speaks = Some(doc),
            "also" => self.also = list(&doc),
            name if name.starts_with('`') && name.ends_with('`') && !kind.is_empty() => {
                let mut words = kind.split(',').map(str::trim);
                let kind = words.next().unwrap_or_default().to_owned();
                let optional = words.any(|word| word == "optional");
                self.params.push(Param {
                    name: name.trim_matches('`').to_owned(),
                    kind,
                    optional,
                    doc,
                });
            }
            _ => {}
        }
    }
}

impl Example {
    fn parse(lines: &[&str], no_run: bool) -> Self {
        let find = |word: &str| {
            lines
                .iter()
                .filter_map(|line| line.trim().strip_prefix("//"))
                .find_map(|line| line.trim().strip_prefix(word)?.strip_prefix(':'))
                .map(|value| value.trim().to_owned())
        };
        Self {
            estate: find("estate"),
            fails: find("fails"),
            no_run: find("no_run").or_else(|| no_run.then(String::new)),
            code: lines.join("\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOC: &[&str] = &[
        " Grants a role to a principal at a scope, and returns once",
        " it can be read back. More is said here.",
        "",
        " * `to` (principal): principal id, or a map",
        "   with `principalId`",
        " * `options` (map, optional): how",
        " * returns (map): the assignment: `id`, `role`",
        " * errors: `not-allowed`, `assignment-limit`",
        " * changes: yes; undone by deleting it",
        " * speaks: Microsoft.Authorization/roleAssignments 2022-04-01",
        " * also: rbac, permission",
        "",
        " ```rhai",
        " // estate: two-regions",
        " // fails: assignment-limit",
        " let a = 1;",
        " ```",
    ];

    #[test]
    fn the_text_above_a_function_gives_everything_that_help_shows() {
        let spec = OpSpec::parse("role_assignment", "ensure", DOC, |_| Ok(().into()));
        assert_eq!(
            spec.summary,
            "Grants a role to a principal at a scope, and returns once it can be read back."
        );
        assert_eq!(spec.params[0].doc, "principal id, or a map with `principalId`");
        assert_eq!((spec.params[0].optional, spec.params[1].optional), (false, true));
        assert_eq!(spec.arities(), 1..=2);
        assert_eq!(spec.errors, ["not-allowed", "assignment-limit"]);
        assert_eq!(spec.also, ["rbac", "permission"]);
        assert_eq!(spec.examples[0].fails.as_deref(), Some("assignment-limit"));
        assert_eq!(spec.examples[0].estate.as_deref(), Some("two-regions"));
        assert_eq!(spec.signature(), "role_assignment::ensure(to, options?) → map");
        assert_eq!(spec.problems(), Vec::<String>::new());
    }

    #[test]
    fn what_a_text_lacks_is_said() {
        let spec = OpSpec::parse("a", "b", &[" Does it"], |_| Ok(().into()));
        assert_eq!(
            spec.problems(),
            [
                "a::b: its first sentence has no full stop",
                "a::b: does not say what it returns",
                "a::b: does not say whether it changes anything",
                "a::b: has no example",
            ]
        );
    }
}
