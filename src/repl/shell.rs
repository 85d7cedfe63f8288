//! What the prompt remembers: variables, functions, imports, and the text of all inputs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rhai::{AST, Dynamic, EvalAltResult, Expr, Scope, Stmt};

use super::complete::{Keys, Known};
use super::{commands, print};
use crate::error::{Error, Kind};
use crate::host::{Host, Program, trace};
use crate::run::Session;

/// The name that places in typed text have.
const SOURCE: &str = "prompt";

/// What an input led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Text to show; empty where there is nothing to say.
    Text(String),
    /// The end.
    Quit,
}

/// The prompt without its terminal.
pub struct Shell {
    program: Program,
    scope: Scope<'static>,
    functions: AST,
    /// Imports of earlier inputs: alias and path.
    imports: BTreeMap<String, String>,
    /// All inputs so far. New ones are placed below, so that every place stays true.
    transcript: String,
    known: Arc<Mutex<Known>>,
}

impl Shell {
    /// A prompt over a session.
    ///
    /// # Errors
    /// None at present; the documentation of scripts is read when it is asked for.
    pub fn new(host: &Host, session: &Arc<Session>) -> Result<Self, Error> {
        let known = Known::new(host);
        Ok(Self {
            program: host.program(session),
            scope: Scope::new(),
            functions: AST::empty(),
            imports: BTreeMap::new(),
            transcript: String::new(),
            known: Arc::new(Mutex::new(known)),
        })
    }

    /// What completion and hints know.
    pub(super) fn known(&self) -> Arc<Mutex<Known>> {
        self.known.clone()
    }

    /// The session.
    pub fn session(&self) -> &Arc<Session> {
        self.program.session()
    }

    /// What is shown before an input: it tells when writes are allowed.
    pub fn prompt(&self) -> &'static str {
        if self.session().may_write() {
            "ferry (writes)> "
        } else {
            "ferry> "
        }
    }

    /// The variables, with their values.
    pub fn variables(&self) -> impl Iterator<Item = (&str, bool, Dynamic)> {
        self.scope.iter()
    }

    /// Takes one input: a script, or a command that begins with a colon.
    ///
    /// # Errors
    /// What the script threw, with its place in what was typed; an unknown command.
    pub fn feed(&mut self, input: &str) -> Result<Reply, Error> {
        let trimmed = input.trim();
        if let Some(command) = trimmed.strip_prefix(':') {
            return commands::run(self, command);
        }
        if trimmed.is_empty() {
            return Ok(Reply::Text(String::new()));
        }
        let value = self.eval(input)?;
        Ok(Reply::Text(print::value(&value)))
    }

    /// Evaluates a script and keeps what it defines.
    ///
    /// # Errors
    /// What it threw, with its place.
    pub fn eval(&mut self, input: &str) -> Result<Dynamic, Error> {
        let above = self.transcript.matches('\n').count();
        let imports: Vec<String> = self
            .imports
            .iter()
            .map(|(alias, path)| format!("import {} as {alias};", serde_json::Value::from(path.as_str())))
            .collect();
        // Everything typed before is blank lines here, with earlier imports on the first of them.
        let text = if above == 0 {
            input.to_owned()
        } else {
            format!("{}{}{input}", imports.concat(), "\n".repeat(above))
        };
        self.transcript.push_str(input.trim_end_matches('\n'));
        self.transcript.push('\n');

        let (program, scope, functions) = (&self.program, &mut self.scope, &mut self.functions);
        let transcript = &self.transcript;
        let imports = &mut self.imports;
        let outcome = program.on_script_thread(|| {
            let mut ast = program
                .engine()
                .compile_with_scope(scope, text)
                .map_err(|error| trace::syntax(SOURCE, Some(transcript.clone()), &error))?;
            ast.set_source(SOURCE);
            let run = functions.merge(&ast);
            let value: Result<Dynamic, Box<EvalAltResult>> = program.engine().eval_ast_with_scope(scope, &run);
            if value.is_ok() {
                imports.extend(imported(&ast));
            }
            *functions = run.clone_functions_only();
            functions.set_source(SOURCE);
            value.map_err(|error| program.explain(&error, SOURCE, transcript))
        });
        if outcome.as_ref().is_err_and(|error| error.kind == Kind::Interrupted)
            || self.session().cancel().is_cancelled()
        {
            self.session().renew_cancel();
        }
        self.learn();
        outcome
    }

    /// Tells completion which variables and functions there are now.
    fn learn(&self) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.variables = self
            .scope
            .iter()
            .map(|(name, _, value)| (name.to_owned(), Keys::of(&value, 5)))
            .collect();
        known.functions = self
            .functions
            .iter_functions()
            .map(|function| function.name.to_owned())
            .collect();
        known.aliases = self.imports.keys().cloned().collect();
    }
}

/// The imports at the top level of an input: alias and path.
fn imported(ast: &AST) -> Vec<(String, String)> {
    let imports = ast.statements().iter().filter_map(|statement| match statement {
        Stmt::Import(import, _) => match &import.0 {
            Expr::StringConstant(path, _) if !import.1.name.is_empty() => {
                Some((import.1.name.to_string(), path.to_string()))
            }
            _ => None,
        },
        _ => None,
    });
    imports.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Scripts;

    fn shell() -> Shell {
        let host = Host::new(Scripts::embedded()).unwrap();
        Shell::new(&host, &crate::host::tests::exploring().0).unwrap()
    }

    fn text(shell: &mut Shell, input: &str) -> String {
        match shell.feed(input) {
            Ok(Reply::Text(text)) => text,
            other => panic!("{input}: {other:?}"),
        }
    }

    #[test]
    fn variables_functions_and_closures_stay_from_one_input_to_the_next() {
        let mut shell = shell();
        assert_eq!(text(&mut shell, "let x = 20;"), "");
        assert_eq!(text(&mut shell, "fn twice(n) {\n    n * 2\n}"), "");
        assert_eq!(text(&mut shell, "let add = |n| n + 2;"), "");
        assert_eq!(text(&mut shell, "add.call(twice(x))"), "42\n");
        assert_eq!(text(&mut shell, "fn twice(n) { n * 3 }"), "");
        assert_eq!(text(&mut shell, "twice(x)"), "60\n");
    }

    #[test]
    fn an_error_names_its_line_in_everything_that_was_typed() {
        let mut shell = shell();
        text(&mut shell, "let x = 1;");
        text(
            &mut shell,
            "fn bad() {\n    throw #{ code: \"odd\", message: \"no\" };\n}",
        );
        let error = shell.feed("bad()").unwrap_err();
        let at = error.at.unwrap();
        assert_eq!((at.file.as_str(), at.line), ("prompt", 3));
        assert_eq!(error.calls[0].at.line, 5);
        assert!(at.source.unwrap().contains("throw #{"));
        // The prompt goes on.
        assert_eq!(text(&mut shell, "x + 1"), "2\n");
    }

    #[test]
    fn a_list_of_maps_is_shown_as_a_table() {
        let shown = text(&mut shell(), "[#{ name: \"a\", n: 1 }, #{ name: \"b\", tags: [] }]");
        assert!(
            shown.contains("name") && shown.contains('│') && shown.contains('b'),
            "{shown}"
        );
        assert_eq!(text(&mut shell(), "\"text\""), "\"text\"\n");
        assert_eq!(text(&mut shell(), "()"), "");
    }

    #[test]
    fn commands_begin_with_a_colon() {
        let mut shell = shell();
        assert!(text(&mut shell, ":help").contains(":vars"));
        assert!(text(&mut shell, ":help run::each").starts_with("run::each(name, items, body)"));
        assert!(text(&mut shell, ":help parallel").contains("run::each"));
        text(&mut shell, "let orders = [1];");
        assert_eq!(text(&mut shell, ":vars"), "orders  array  [1]\n");
        assert_eq!(text(&mut shell, ":type orders[0]"), "int\n");
        assert_eq!(shell.feed(":hlep").unwrap_err().next[0], "did you mean :help?");
        assert_eq!(shell.feed(":write on").unwrap_err().code, "read-only");
        assert!(!shell.session().may_write());
        assert_eq!(shell.feed(":quit").unwrap(), Reply::Quit);
    }

    #[test]
    fn a_file_is_loaded_into_the_prompt() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("more.rhai");
        std::fs::write(&path, "let loaded = 7;\nfn half(n) { n / 2 }\n").unwrap();
        let mut shell = shell();
        text(&mut shell, &format!(":load {}", path.display()));
        assert_eq!(text(&mut shell, "half(loaded + 1)"), "4\n");
        assert_eq!(shell.feed(":load nowhere.rhai").unwrap_err().code, "script-unreadable");
    }

    #[test]
    fn an_interrupt_ends_the_call_and_keeps_the_session() {
        let mut shell = shell();
        text(&mut shell, "let x = 5;");
        shell.session().cancel().cancel();
        assert_eq!(shell.feed("loop { }").unwrap_err().kind, Kind::Interrupted);
        assert_eq!(text(&mut shell, "x"), "5\n");
    }

    #[test]
    fn completion_knows_modules_functions_variables_and_keys() {
        let mut shell = shell();
        text(&mut shell, "let shipment = #{ name: \"a\", lines: #{ first: 1 } };");
        let known = shell.known();
        let known = known.lock().unwrap();
        let words = |line: &str| known.complete(line, line.len()).1;
        assert_eq!(words("run::ea"), ["run::each("]);
        assert_eq!(words("1 + shipm"), ["shipment"]);
        assert_eq!(words("shipment."), ["shipment.lines", "shipment.name"]);
        assert_eq!(words("shipment.lines.f"), ["shipment.lines.first"]);
        assert_eq!(words(":he"), [":help"]);
        assert!(words("ru").contains(&"run::".to_owned()));
    }
}
