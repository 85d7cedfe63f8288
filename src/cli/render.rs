//! Errors as text: one value, three faces (with lines drawn, told in words, JSON).
//!
//! Four questions, always in this order: what happened, to which resource, what was left untouched, what is next.
//! What Azure itself said comes last, verbatim.

use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, NarratableReportHandler, Severity,
    SourceCode,
};

use crate::error::{At, Error, Kind};

/// How an error is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// With lines and colours.
    Colour,
    /// With lines.
    Plain,
    /// In words, for those who are read to.
    Words,
}

impl Face {
    /// The face for stderr: words where `NO_GRAPHICS` asks for them, colours where there is a terminal that wants them.
    pub fn of_stderr(colour: bool) -> Self {
        if std::env::var_os("NO_GRAPHICS").is_some_and(|value| !value.is_empty()) {
            Face::Words
        } else if colour {
            Face::Colour
        } else {
            Face::Plain
        }
    }
}

/// An error as text of several lines, without a line's end at its end.
pub fn text(error: &Error, face: Face) -> String {
    let shown = Shown::new(error);
    let mut text = String::new();
    let drawn = match face {
        Face::Words => NarratableReportHandler::new()
            .without_cause_chain()
            .render_report(&mut text, &shown),
        Face::Colour => handler(GraphicalTheme::unicode()).render_report(&mut text, &shown),
        Face::Plain => handler(GraphicalTheme::unicode_nocolor()).render_report(&mut text, &shown),
    };
    if drawn.is_err() {
        text = format!("  × {error}");
    }
    let mut text = text.trim_end().trim_start_matches('\n').to_owned();
    for (name, value) in details(error) {
        for (index, line) in value.lines().enumerate() {
            let name = if index == 0 { name } else { "" };
            text.push_str(format!("\n  {name:<9}  {line}").trim_end());
        }
    }
    text
}

fn handler(theme: GraphicalTheme) -> GraphicalReportHandler {
    // Lines are not broken: what is shown is meant to be pasted and searched for.
    GraphicalReportHandler::new_themed(theme)
        .with_wrap_lines(false)
        .with_context_lines(1)
        .without_cause_chain()
}

/// The lines below the picture.
fn details(error: &Error) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    // Without its script's text the place is a line of its own.
    if let Some(at) = error.at.as_ref().filter(|at| at.source.is_none()) {
        lines.push(("at", place(at)));
    }
    if !error.calls.is_empty() {
        let calls: Vec<String> = error
            .calls
            .iter()
            .rev()
            .map(|call| format!("{} at {}", call.function, place(&call.at)))
            .collect();
        lines.push(("called by", calls.join("\n")));
    }
    if let Some(on) = &error.on {
        lines.push(("on", on.clone()));
    }
    if let Some(untouched) = &error.untouched {
        lines.push(("untouched", untouched.clone()));
    }
    if !error.next.is_empty() {
        lines.push(("next", error.next.join("\n")));
    }
    if let Some(said) = &error.azure {
        let mut line = format!("{} {}: {}", said.status, said.code, said.message);
        if let Some(request) = &said.request_id {
            line.push_str(&format!(" · request {request}"));
        }
        if let Some(correlation) = &said.correlation_id {
            line.push_str(&format!(" · correlation {correlation}"));
        }
        lines.push(("azure", line));
    }
    lines
}

fn place(at: &At) -> String {
    match (at.line, at.column) {
        (0, _) => at.file.clone(),
        (line, 0) => format!("{}:{line}", at.file),
        (line, column) => format!("{}:{line}:{column}", at.file),
    }
}

/// An error as miette wants it.
#[derive(Debug)]
struct Shown<'a> {
    error: &'a Error,
    source: Option<(NamedSource<String>, LabeledSpan)>,
}

impl<'a> Shown<'a> {
    fn new(error: &'a Error) -> Self {
        let source = error.at.as_ref().and_then(|at| {
            let text = at.source.as_ref()?;
            let (offset, length) = span(text, at.line, at.column)?;
            let source = NamedSource::new(at.file.clone(), text.clone());
            Some((source, LabeledSpan::new(None, offset, length)))
        });
        Self { error, source }
    }
}

/// The byte offset and length of the word at a line and a column (in characters, both from 1).
fn span(text: &str, line: usize, column: usize) -> Option<(usize, usize)> {
    let start: usize = text
        .split_inclusive('\n')
        .take(line.checked_sub(1)?)
        .map(str::len)
        .sum();
    let rest = text.get(start..)?;
    let rest = rest.lines().next()?;
    let offset: usize = rest.chars().take(column.saturating_sub(1)).map(char::len_utf8).sum();
    let word = rest.get(offset..)?;
    let length = word
        .find(|letter: char| !letter.is_alphanumeric() && !matches!(letter, '_' | ':'))
        .unwrap_or(word.len());
    Some((
        start + offset,
        length.max(word.chars().next().map_or(0, char::len_utf8)),
    ))
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn severity(&self) -> Option<Severity> {
        Some(match self.error.kind {
            Kind::Paused | Kind::Interrupted => Severity::Advice,
            Kind::Difference => Severity::Warning,
            Kind::Failed | Kind::Refused => Severity::Error,
        })
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|(source, _)| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let (_, label) = self.source.as_ref()?;
        Some(Box::new(std::iter::once(label.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Frame, Said};

    fn failed() -> Error {
        let mut error = Error::failed("not-allowed", "\"Reader\" was not granted")
            .on("/subscriptions/1/resourceGroups/rg")
            .untouched("id-orders (westeurope) keeps all 31 grants")
            .next("ferry resume 7k3q      goes on at change 14")
            .next("ferry rollback 7k3q    undoes its 13 changes");
        let source = "// ä\nfn move(params) {\n    let ü = role_assignment::ensure(grant);\n}\n".to_owned();
        error.at = Some(At {
            file: "my/relocate.rhai".into(),
            line: 3,
            column: 13,
            source: Some(source),
        });
        error.calls = vec![Frame {
            function: "move".into(),
            at: At {
                file: "my/relocate.rhai".into(),
                line: 9,
                column: 0,
                source: None,
            },
        }];
        error.azure = Some(Said {
            status: 403,
            code: "AuthorizationFailed".into(),
            message: "The client does not have authorization.".into(),
            request_id: Some("91be".into()),
            correlation_id: None,
        });
        error
    }

    #[test]
    fn an_error_tells_what_where_untouched_next_and_azure_in_this_order() {
        insta::assert_snapshot!(text(&failed(), Face::Plain));
    }

    #[test]
    fn an_error_can_be_read_aloud() {
        insta::assert_snapshot!(text(&failed(), Face::Words));
    }

    #[test]
    fn columns_count_characters_and_the_word_is_marked() {
        assert_eq!(span("ä = abc::def(1)", 1, 5), Some((5, 8)));
        assert_eq!(span("one\ntwo\n", 2, 1), Some((4, 3)));
        assert_eq!(span("one", 7, 1), None);
        assert_eq!(span("", 1, 1), None);
        assert_eq!(span("a", 1, 9), Some((1, 0)));
    }
}
