//! Rustyline's view of the prompt: it asks us for completion, hints, colours, and whether an input is whole.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use rhai::Engine;
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper as RustylineHelper};

use super::complete::Known;
use super::{highlight, hint, validate};

/// What rustyline is given.
pub(super) struct Helper {
    known: Arc<Mutex<Known>>,
    parser: Engine,
    color: bool,
}

impl Helper {
    pub(super) fn new(known: Arc<Mutex<Known>>, color: bool) -> Self {
        let mut parser = Engine::new_raw();
        parser.set_max_expr_depths(128, 128);
        Self { known, parser, color }
    }
}

impl Completer for Helper {
    type Candidate = Pair;

    fn complete(&self, line: &str, position: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (start, words) = known.complete(line, position);
        Ok((
            start,
            words
                .into_iter()
                .map(|word| Pair {
                    display: word.clone(),
                    replacement: word,
                })
                .collect(),
        ))
    }
}

impl Hinter for Helper {
    type Hint = String;

    fn hint(&self, line: &str, position: usize, _: &Context<'_>) -> Option<String> {
        hint::hint(
            &self.known.lock().unwrap_or_else(PoisonError::into_inner),
            line,
            position,
        )
    }
}

impl Highlighter for Helper {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if self.color {
            Cow::Owned(highlight::highlight(line))
        } else {
            Cow::Borrowed(line)
        }
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        if self.color {
            Cow::Owned(format!("\x1b[90m{hint}\x1b[0m"))
        } else {
            Cow::Borrowed(hint)
        }
    }

    fn highlight_char(&self, _: &str, _: usize, _: CmdKind) -> bool {
        self.color
    }
}

impl Validator for Helper {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let open = validate::incomplete(&self.parser, context.input());
        Ok(if open {
            ValidationResult::Incomplete
        } else {
            ValidationResult::Valid(None)
        })
    }
}

impl RustylineHelper for Helper {}
