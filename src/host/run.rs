//! The host: finds runbooks, reads their parameters, and runs their phases in a session.

use std::sync::Arc;

use rhai::{Dynamic, Engine};
use serde_json::{Map, Value};

use super::docs::Docs;
use super::library::{Compiled, Library};
use super::limits::Limits;
use super::loader::{Foreign, Loader, Script, Scripts};
use super::params::Params;
use super::program::{Program, argument};
use super::runbook::Runbook;
use super::{check, engine};
use crate::error::{Error, Kind};
use crate::ops::{Frozen, OpModule, Plugins as _};
use crate::run::{Finding, Mode, Session, Status, UsedScript};

/// What programs embed to run scripts. It is cheap to make: nothing is compiled before it is needed.
pub struct Host {
    loader: Loader,
    parser: Arc<Engine>,
    more: Vec<OpModule>,
    limits: Limits,
}

/// How a run ended that did not fail.
#[derive(Debug, Clone, PartialEq)]
pub struct RunOutcome {
    /// The results of all phases that are done.
    pub results: Map<String, Value>,
    /// What the last phase, or `main`, returned.
    pub value: Value,
    /// The phase that `--until` stopped after, if there are more.
    pub stopped_after: Option<String>,
}

impl Host {
    /// A host that finds its scripts in these places.
    ///
    /// # Errors
    /// `no-such-directory`.
    pub fn new(scripts: Scripts) -> Result<Self, Error> {
        Ok(Self {
            loader: Loader::new(scripts)?,
            parser: Arc::new(engine::parser(&[])),
            more: Vec::new(),
            limits: Limits::default(),
        })
    }

    /// The same host with a module of operations of an embedding program.
    #[must_use]
    pub fn with_module(mut self, module: OpModule) -> Self {
        self.more.push(module);
        self.parser = Arc::new(engine::parser(&self.more));
        self
    }

    /// The same host, whose scripts may spend so much.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Where scripts are found.
    pub fn loader(&self) -> &Loader {
        &self.loader
    }

    pub(super) fn library(&self) -> Library {
        Library::new(
            self.loader.with_snapshot(std::collections::BTreeMap::new()),
            self.parser.clone(),
            None,
        )
    }

    /// Every script that a run of this runbook uses, with its text's digest: the runbook, all sources and finders, what they
    /// import, and what Ferry knows of resource types.
    ///
    /// # Errors
    /// As [`Host::runbook`], for each of them.
    pub fn used_scripts(&self, runbook: &Runbook) -> Result<Vec<UsedScript>, Error> {
        let library = self.library();
        let mut keys = vec![library.loader().runbook(&runbook.key)?];
        for kind in ["permissions", "bindings"] {
            let files = library.loader().names(&format!("stdlib/{kind}"));
            keys.extend(files.iter().map(|file| format!("stdlib/{kind}/{file}.rhai")));
        }
        for key in keys {
            library.compiled_with_imports(&key)?;
        }
        library.used()
    }

    /// All runbooks that have a name.
    ///
    /// # Errors
    /// When one does not load.
    pub fn runbooks(&self) -> Result<Vec<Runbook>, Error> {
        self.loader
            .names("runbooks")
            .iter()
            .map(|name| self.runbook(name))
            .collect()
    }

    /// A runbook by name, or by the path of its file. Everything that it imports is loaded too.
    ///
    /// # Errors
    /// All of kind refused: `unknown-runbook`, `script-syntax`, `not-a-runbook`, `malformed-params`.
    pub fn runbook(&self, name: &str) -> Result<Runbook, Error> {
        let key = self.loader.runbook(name)?;
        Runbook::read(name, &self.library().compiled_with_imports(&key)?)
    }

    /// The runbook of a run that is resumed, from the scripts that its journal keeps.
    ///
    /// # Errors
    /// As [`Host::runbook`].
    pub fn runbook_kept(&self, session: &Arc<Session>, name: &str) -> Result<Runbook, Error> {
        // Current scripts are kept once they have been compared with the journal: see `rehearse`.
        let library = if session.options().with_current_scripts {
            self.library()
        } else {
            self.library_of(session)
        };
        let key = library.loader().runbook(&kept_key(session, name))?;
        Runbook::read(name, &library.compiled(&key)?)
    }

    /// Reads `KEY=VALUE`s for a runbook.
    ///
    /// # Errors
    /// All of kind refused: `not-a-parameter`, `unknown-parameter`, `duplicate-parameter`, `malformed-parameter`,
    /// `missing-parameter`.
    pub fn params(&self, runbook: &Runbook, given: &[String]) -> Result<Params, Error> {
        self.params_with(runbook, given, &Map::new())
    }

    /// The same, with values for what was not given: those of the demo of an estate.
    ///
    /// # Errors
    /// As [`Host::params`].
    pub fn params_with(
        &self,
        runbook: &Runbook,
        given: &[String],
        defaults: &Map<String, Value>,
    ) -> Result<Params, Error> {
        runbook.params(given, defaults, &self.library())
    }

    /// A program: the engine and the scripts of a session.
    pub fn program(&self, session: &Arc<Session>) -> Program {
        Program::new(session, self.library_of(session), &self.more, &self.limits)
    }

    /// The scripts of a session: those of its journal first, unless current ones are wanted.
    fn library_of(&self, session: &Arc<Session>) -> Library {
        // Before its first phase a run may have been cut off while it kept its scripts: some sources would be missing.
        let complete = session.ledger(|ledger| !ledger.phases.is_empty());
        let kept = if complete && session.mode() == Mode::Run && !session.options().with_current_scripts {
            session.kept_scripts()
        } else {
            std::collections::BTreeMap::new()
        };
        Library::new(
            self.loader.with_snapshot(kept),
            self.parser.clone(),
            Some(session.clone()),
        )
    }

    /// Runs a runbook's phases, or its `main`, from where the session stands; and writes down how it ended.
    ///
    /// # Errors
    /// What a script threw, with its place; `difference` of kind [`Kind::Difference`] when verification found one;
    /// a pause; an interrupt.
    pub fn run(&self, runbook: &Runbook, params: &Params, session: &Arc<Session>) -> Result<RunOutcome, Error> {
        let given = Value::Object(params.values.clone());
        session.learn_words(&given);
        session.allow_hosts(&given);
        session.allow_servers(&given);
        for values in params.files.values() {
            let given = Value::Object(values.clone());
            session.learn_words(&given);
            session.allow_servers(&given);
        }
        session.allow_paths(runbook.paths(&params.values));
        let outcome = self
            .rehearse(runbook, params, session)
            .and_then(|()| self.phases(runbook, params, session));
        let outcome = outcome.map_err(|error| session.hide_error(error));
        let (status, why) = match &outcome {
            Ok(RunOutcome {
                stopped_after: Some(phase),
                ..
            }) => (Status::Paused, Some(format!("stopped after {phase}, as --until asked"))),
            Ok(_) => (Status::Done, None),
            Err(error) if error.kind == Kind::Paused => (Status::Paused, Some(error.message.clone())),
            Err(error) => (Status::Failed, Some(error.message.clone())),
        };
        match (outcome, session.finish(status, why)) {
            (Ok(_), Err(error)) => Err(error),
            (outcome, _) => outcome,
        }
    }

    /// Compares what current scripts ask for with the journal of a run that goes on with them; nothing is sent.
    ///
    /// # Errors
    /// `step-changed`.
    fn rehearse(&self, runbook: &Runbook, params: &Params, session: &Arc<Session>) -> Result<(), Error> {
        let begun = session.ledger(|ledger| !ledger.phases.is_empty());
        if session.mode() != Mode::Run || !session.options().with_current_scripts || !begun {
            return Ok(());
        }
        let under_way = runbook
            .phases
            .iter()
            .find(|phase| session.ledger(|ledger| ledger.phase_result(phase).is_none()));
        // Whatever else goes wrong will go wrong again, and is told then.
        match self.phases(runbook, params, &session.rehearsal(under_way.cloned())) {
            Err(error) if error.code == "step-changed" => Err(error),
            _ => Ok(()),
        }
    }

    fn phases(&self, runbook: &Runbook, params: &Params, session: &Arc<Session>) -> Result<RunOutcome, Error> {
        let program = self.program(session);
        let library = program.library();
        library.set_params(params.files.clone());
        let script = library.compiled_with_imports(&library.loader().runbook(&kept_key(session, &runbook.key))?)?;
        if runbook.phases.iter().any(|phase| phase != "main") || library.says("plugin::") {
            // All of them are loaded now, so that a broken one is refused, and a resumed run has the same ones.
            for kind in ["permissions", "bindings"] {
                for file in library.files(kind)? {
                    library.compiled_with_imports(&format!("stdlib/{kind}/{file}.rhai"))?;
                }
            }
        }
        let mut value = Value::Null;
        for (index, phase) in runbook.phases.iter().enumerate() {
            value = session.phase(phase, || phase_body(&program, &script, phase, params))?;
            let more = index + 1 < runbook.phases.len();
            if more && session.until() == Some(phase) {
                return Ok(RunOutcome {
                    results: session.results(),
                    value,
                    stopped_after: Some(phase.clone()),
                });
            }
        }
        Ok(RunOutcome {
            results: session.results(),
            value,
            stopped_after: None,
        })
    }

    /// Takes into an unfinished run what has come since its first phase, by its runbook's own `refresh(params, results)`;
    /// answers the new result of the first phase. Nothing is written to Azure.
    ///
    /// # Errors
    /// `not-refreshable` where the runbook has no such function; `nothing-to-refresh`; what the script threw.
    pub fn refresh(&self, runbook: &Runbook, params: &Params, session: &Arc<Session>) -> Result<Value, Error> {
        let program = self.program(session);
        let library = program.library();
        library.set_params(params.files.clone());
        let script = library.compiled_with_imports(&library.loader().runbook(&kept_key(session, &runbook.key))?)?;
        if !script.arities("refresh").contains(&2) {
            return Err(Error::refused(
                "not-refreshable",
                format!("{} has no fn refresh(params, results)", runbook.name),
            )
            .untouched("the journal; nothing was sent"));
        }
        session.refresh(|| {
            let arguments = [Value::Object(params.values.clone()), Value::Object(session.results())];
            program.call(&script, "refresh", arguments.iter().map(Frozen::dynamic).collect())
        })
    }

    /// Calls a function of any script by its key or path, as `runbooks/relocate.rhai`.
    ///
    /// # Errors
    /// `unknown-script`, `unknown-function`; what it threw, with its place.
    pub fn call(&self, session: &Arc<Session>, key: &str, function: &str, arguments: &[Value]) -> Result<Value, Error> {
        let program = self.program(session);
        let script = program.library().compiled(key)?;
        program.call(&script, function, arguments.iter().map(argument).collect())
    }

    /// The value of an expression.
    ///
    /// # Errors
    /// `script-syntax` of kind refused; what it threw.
    pub fn eval(&self, session: &Arc<Session>, expression: &str) -> Result<Value, Error> {
        self.program(session).eval(expression)
    }

    /// Looks into scripts without running them: all of them, or one file.
    ///
    /// # Errors
    /// `unknown-script` for a path that is not there.
    pub fn check(&self, path: Option<&std::path::Path>) -> Result<Vec<check::Checked>, Error> {
        check::check(&self.library(), path)
    }

    /// Every script that is not embedded.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn foreign(&self) -> Result<Vec<Foreign>, Error> {
        self.loader.foreign()
    }

    /// A script by its key.
    ///
    /// # Errors
    /// `unknown-script` with the nearest known one; `script-unreadable`.
    pub fn script(&self, key: &str) -> Result<Script, Error> {
        self.loader.read(key)
    }

    /// The keys of all scripts.
    pub fn scripts(&self) -> Vec<String> {
        self.loader.keys()
    }

    /// The documentation of the modules alone, for which no script is read.
    pub fn docs_of_modules(&self) -> Docs {
        Docs::of_modules(&self.more)
    }

    /// The documentation of everything that scripts can call and of all scripts.
    ///
    /// # Errors
    /// When a script does not load.
    pub fn docs(&self) -> Result<Docs, Error> {
        Docs::new(&self.library(), &self.more)
    }
}

/// The name or key that a run's journal knows its runbook by.
fn kept_key(session: &Arc<Session>, name: &str) -> String {
    let kept = if session.mode() == Mode::Run {
        session.kept_scripts()
    } else {
        std::collections::BTreeMap::new()
    };
    let plain = name.strip_prefix("./").unwrap_or(name);
    let shipped = format!("runbooks/{name}.rhai");
    [name, plain, &shipped]
        .into_iter()
        .find(|key| kept.contains_key(*key))
        .unwrap_or(name)
        .to_owned()
}

fn phase_body(program: &Program, script: &Arc<Compiled>, phase: &str, params: &Params) -> Result<Value, Error> {
    let session = program.session();
    if phase == "prepare" {
        for foreign in program.library().loader().foreign()? {
            session.finding(Finding {
                severity: "info".to_owned(),
                code: "foreign-script".to_owned(),
                target: foreign.key,
                message: format!(
                    "{} is not one of ferry's own scripts; SHA-256 {}",
                    foreign.path, foreign.digest
                ),
            })?;
        }
    }
    let before = session.differences();
    let mut arguments: Vec<Dynamic> = vec![Frozen::dynamic(&Value::Object(params.values.clone()))];
    if script.arities(phase).contains(&2) {
        arguments.push(Frozen::dynamic(&Value::Object(session.results())));
    }
    let value = program.call(script, phase, arguments)?;
    let found = session.differences() - before;
    if phase == "verify" && found > 0 {
        let what = if found == 1 {
            "1 difference".to_owned()
        } else {
            format!("{found} differences")
        };
        return Err(Error::failed("difference", format!("verification found {what}"))
            .kind(Kind::Difference)
            .untouched("the old identity and everything that it may do")
            .next("mend what the findings name, then: ferry resume last"));
    }
    Ok(value)
}
