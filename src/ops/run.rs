//! `run::`, the script's side of a run: steps, branches, gates, waits, notes.

use rhai::{Dynamic, EvalAltResult};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use super::call::Call;
use super::captures::unshare_fn;
use super::each;
use super::left_out;
use super::spec::OpModule;
use super::value::{from_json, to_json};
use crate::error::Error;
use crate::run::{Finding, Mode};
use crate::types::Span;

pub(crate) fn module() -> OpModule {
    crate::ops! { run,
        "Steps, branches, gates, waits and notes of the run that a script belongs to.";

        /// Does something once, and remembers its result.
        ///
        /// A resumed run gets the remembered result, and the closure is not called again. Steps nest; two of one
        /// name in one place are an error. The closure works on copies of the variables that it captures: what it
        /// finds out, it returns, as plain data.
        ///
        /// * `name` (string): the step's name, unique where it stands
        /// * `body` (closure): what is done; takes nothing
        /// * returns (any): what the closure returned
        /// * errors: `step-twice`, `step-changed`, `not-plain`
        /// * changes: no; what the closure calls does
        /// * also: checkpoint, once, memo
        ///
        /// ```rhai
        /// let sum = run::step("add", || 40 + 2);
        /// assert_eq(sum, 42);
        /// ```
        fn step(call) {
            Ok(run_step(call, false))
        }

        /// Does something anew whenever the run comes here, also when it is resumed.
        ///
        /// It is a step whose result is not kept, and neither are those of the steps in it: for a look at how things
        /// are now. What it calls must write nothing.
        ///
        /// * `name` (string): the step's name, unique where it stands
        /// * `body` (closure): what is done; takes nothing
        /// * returns (any): what the closure returned
        /// * errors: `step-twice`, `not-plain`
        /// * changes: no
        /// * also: again, reread, fresh
        ///
        /// ```rhai
        /// let there = run::afresh("look", || [1, 2]);
        /// assert_eq(there.len(), 2);
        /// ```
        fn afresh(call) {
            Ok(run_step(call, true))
        }

        /// Does a step for each item, in parallel, and returns the results in the items' order.
        ///
        /// An item is a map with `id`, its key; or a string, which is its own key. Optional members: `file` stands
        /// before the id in the step's path; items with an equal string in `serial` (a string, or an array of
        /// them) go one after another; `lane` does that too, and leaves out what comes after a failed item. One
        /// item's failure does not stop the others; all failures are thrown together at the end. An item that has
        /// to wait is parked while the others go on.
        ///
        /// * `name` (string): the name of the steps
        /// * `items` (array): the items; two equal keys are refused before anything is done
        /// * `body` (closure): takes an item
        /// * returns (array): what the closure returned for each item
        /// * errors: `items-failed`, `duplicate-key`, `not-plain`, `step-changed`
        /// * changes: no; what the closure calls does
        /// * also: parallel, for, loop, map, concurrent
        ///
        /// ```rhai
        /// let lengths = run::each("measure", [#{ id: "a", text: "one" }, #{ id: "b", text: "three" }], |item| item.text.len());
        /// assert_eq(lengths, [3, 5]);
        /// ```
        fn each(call) {
            Ok(each::run(call))
        }

        /// Goes on only when somebody has approved.
        ///
        /// Without a terminal and without `--yes` the run pauses here; `ferry approve` and `ferry resume` go on.
        ///
        /// * `gate` (string): the gate's name, which `ferry approve RUN GATE` names
        /// * `text` (string): what is approved, for the person who is asked
        /// * returns (()): nothing
        /// * changes: no
        /// * also: gate, confirm, ask
        ///
        /// ```rhai
        /// // no_run: a person must answer
        /// run::approve("clean-up", "deletes the old identity");
        /// ```
        fn approve(call) {
            call.session.approve(&call.text("gate")?, &call.text("text")?)?;
            Ok(())
        }

        /// Announces a gate that the phase will come to, so that it can be approved early.
        ///
        /// * `gate` (string): the gate's name, as `run::approve` will give it
        /// * `text` (string): what is approved, word for word as `run::approve` will give it
        /// * returns (()): nothing
        /// * changes: no
        /// * also: gate, foresee
        ///
        /// ```rhai
        /// run::announce("delete", "deletes the old identity");
        /// ```
        fn announce(call) {
            call.session.announce(&call.text("gate")?, &call.text("text")?)?;
            Ok(())
        }

        /// Waits so long; the process may end meanwhile.
        ///
        /// * `length` (int or string): seconds, or a text like "10m"
        /// * returns (()): nothing
        /// * errors: `malformed`
        /// * changes: no
        /// * also: sleep, pause, delay
        ///
        /// ```rhai
        /// run::wait(0);
        /// ```
        fn wait(call) {
            call.session.wait(length(call)?)?;
            Ok(())
        }

        /// Leaves work to a person, with the exact commands to paste; nothing stops here.
        ///
        /// * `task` (string): its name, which `ferry approve RUN TASK` closes
        /// * `text` (string): what to do
        /// * returns (()): nothing
        /// * changes: no
        /// * also: manual, todo, human
        ///
        /// ```rhai
        /// run::hand_over("dns", "az network dns record-set a add-record …");
        /// ```
        fn hand_over(call) {
            call.session.hand_over(&call.text("task")?, &call.text("text")?)?;
            Ok(())
        }

        /// The hand-overs that nobody has closed yet.
        ///
        /// * returns (array): maps with `task`, `text`, and `check`: the part of the text that begins with a line `Check`, or `()`
        /// * changes: no
        ///
        /// ```rhai
        /// run::hand_over("dns", "add the record\nCheck: it is found:\n  dig app.example");
        /// assert_eq(run::open_hand_overs()[0].check, "Check: it is found:\n  dig app.example");
        /// ```
        fn open_hand_overs(call) {
            let open = call.session.hand_overs().into_iter().filter(|task| task.closed.is_none());
            let row = |open: crate::run::record::HandOver| json!({ "task": open.task, "text": open.text, "check": open.check });
            Ok(open.map(row).collect::<Vec<Value>>())
        }

        /// Closes a hand-over whose work is seen to be done.
        ///
        /// One that a check has closed is opened again where it is handed over again; one that something else has closed stays
        /// closed.
        ///
        /// * `task` (string): its name
        /// * `by` (string, optional): what closes it, where that is no check, as the report tells it
        /// * returns (()): nothing
        /// * changes: no
        ///
        /// ```rhai
        /// run::hand_over("dns", "add the record");
        /// run::close_hand_over("dns");
        /// assert_eq(run::open_hand_overs().len(), 0);
        /// ```
        fn close_hand_over(call) {
            let by = call.optional_text("by")?;
            call.session.close_hand_over(&call.text("task")?, by.as_deref().unwrap_or(crate::run::BY_CHECK), None)?;
            Ok(())
        }

        /// Pauses the run while hand-overs are open; in a plan it goes on.
        ///
        /// * returns (()): nothing
        /// * errors: `hand-over-open`
        /// * changes: no
        ///
        /// ```rhai
        /// run::require_hand_overs();
        /// ```
        fn require_hand_overs(call) {
            call.session.require_hand_overs()
        }

        /// Shows a sentence to whoever follows the run.
        ///
        /// * `text` (string): the sentence
        /// * returns (()): nothing
        /// * changes: no
        /// * also: print, log, say
        ///
        /// ```rhai
        /// run::note("12 grants are in place");
        /// ```
        fn note(call) {
            call.session.note(&call.text("text")?)?;
            Ok(())
        }

        /// Shows a warning, and keeps it as a finding of the run.
        ///
        /// * `text` (string): the sentence
        /// * returns (()): nothing
        /// * changes: no
        ///
        /// ```rhai
        /// run::warn("tokens live for up to 24 hours");
        /// ```
        fn warn(call) {
            call.session.warn("warned", &crate::run::path::printed(&crate::run::current_path()), &call.text("text")?)?;
            Ok(())
        }

        /// Keeps what was found, for plan, report and exit code.
        ///
        /// A finding of severity "difference" makes the phase verify end with exit code 4.
        ///
        /// * `severity` (string): "info", "warning", "difference" or "error"
        /// * `code` (string): a stable word for this kind of finding
        /// * `target` (string): the id of what it is about
        /// * `message` (string): one sentence
        /// * returns (()): nothing
        /// * errors: `wrong-argument`
        /// * changes: no
        ///
        /// ```rhai
        /// run::finding("info", "known-issue", "/subscriptions/1", "slots are bindings of their own");
        /// ```
        fn finding(call) {
            let severity = call.text("severity")?;
            if !["info", "warning", "difference", "error"].contains(&severity.as_str()) {
                let mut error = call.wrong("severity", "");
                error.message =
                    format!("run::finding: there is no severity \"{severity}\": info, warning, difference or error");
                return Err(error);
            }
            call.session.finding(Finding {
                severity,
                code: call.text("code")?,
                target: call.text("target")?,
                message: call.text("message")?,
            })?;
            Ok(())
        }

        /// Keeps what could not be looked into; nothing that depends on it is deleted.
        ///
        /// * `scope` (string): where
        /// * `why` (string): why not
        /// * `needs` (string): what would make it visible, as a role or an action
        /// * returns (()): nothing
        /// * changes: no
        ///
        /// ```rhai
        /// run::unseen("/subscriptions/1", "403 AuthorizationFailed", "Reader");
        /// ```
        fn unseen(call) {
            call.session.unseen(&call.text("scope")?, &call.text("why")?, &call.text("needs")?)?;
            Ok(())
        }

        /// Which of some items the operator leaves out by name, with `--leave-out`.
        ///
        /// An item is named by its id, its resource or one that it lies below, its place (`grants/FILE/ID` with its id as a
        /// step's path has it), some whole segments of that, or any part of those that only one item has.
        ///
        /// * `kind` (string): what they are: "grants" or "bindings"
        /// * `items` (array): maps with `id`, and where they have them `file`, `resource`, `scope`
        /// * `others` (array): items of the other kind, which a name may mean too
        /// * returns (array): the positions of those that are left out
        /// * errors: `unknown-item`, `ambiguous-item`
        /// * changes: no
        /// * also: skip, exclude
        ///
        /// ```rhai
        /// assert_eq(run::left_out("grants", [#{ id: "a" }], []), []);
        /// ```
        fn left_out(call) {
            left_out::positions(call)
        }

        /// What could not be looked into: so far, or since `run::reset_unseen`.
        ///
        /// * returns (array): maps with `scope`, `why` and `needs`
        /// * changes: no
        ///
        /// ```rhai
        /// assert(type_of(run::unseen_items()) == "array");
        /// ```
        fn unseen_items(call) {
            let items = call.session.unseen_items().into_iter();
            let items = items.map(|item| json!({ "scope": item.scope, "why": item.why, "needs": item.needs }));
            Ok(items.collect::<Vec<Value>>())
        }

        /// Begins the list of what could not be looked into anew.
        ///
        /// For a look that replaces an earlier one. The journal keeps everything that was told.
        ///
        /// * returns (()): nothing
        /// * changes: no
        ///
        /// ```rhai
        /// run::unseen("/subscriptions/1", "403 AuthorizationFailed", "Reader");
        /// run::reset_unseen();
        /// assert_eq(run::unseen_items().len(), 0);
        /// ```
        fn reset_unseen(call) {
            call.session.reset_unseen();
            Ok(())
        }

        /// The value of a parameter that the calling source or finder declares itself.
        ///
        /// It is given on the command line as `FILESTEM.NAME=value`.
        ///
        /// * `name` (string): the parameter's name in the file's `const PARAMS`
        /// * returns (any): its value, or `()` where it is optional and was not given
        /// * errors: `unknown-parameter`
        /// * changes: no
        ///
        /// ```rhai
        /// // no_run: an example belongs to no file
        /// let depth = run::param("depth");
        /// ```
        fn param(call) {
            call.bound().plugins.parameter(call.file(), &call.text("name")?)
        }

        /// Whether an earlier process began this run.
        ///
        /// Time has passed then, and others may have been at work.
        ///
        /// * returns (bool): true in a resumed run
        /// * changes: no
        ///
        /// ```rhai
        /// assert_eq(run::resumed(), false);
        /// ```
        fn resumed(call) {
            Ok(call.session.resumed())
        }

        /// The run's id, for a command that a person is to paste.
        ///
        /// * returns (string): the id; `RUN` where nothing is kept
        /// * changes: no
        ///
        /// ```rhai
        /// assert(`ferry resume ${run::id()}`.len() > 13);
        /// ```
        fn id(call) {
            Ok(call.session.run_id().unwrap_or("RUN").to_owned())
        }

        /// When a phase of this run ended, as its journal says.
        ///
        /// * `phase` (string): the phase's name
        /// * returns (string): RFC 3339, UTC; `()` while it has not ended
        /// * changes: no
        /// * also: time, clock, date
        ///
        /// ```rhai
        /// assert_eq(run::ended("move"), ());
        /// ```
        fn ended(call) {
            let phase = call.text("phase")?;
            Ok(call.session.ledger(|ledger| ledger.ended.get(&phase).map(|time| json!(time))))
        }

        /// When the last change of a phase was in place that was made for an item of one file.
        ///
        /// * `phase` (string): the phase's name
        /// * `file` (string): the source or finder, as items have it in `file`
        /// * returns (string): RFC 3339, UTC; `()` where there was none
        /// * changes: no
        /// * also: time, clock, date
        ///
        /// ```rhai
        /// assert_eq(run::last_done("move", "group_membership"), ());
        /// ```
        fn last_done(call) {
            let (phase, file) = (call.text("phase")?, call.text("file")?);
            Ok(call.session.ledger(|ledger| ledger.last_done(&phase, &file).map(|time| json!(time))))
        }

        /// The moment that comes so long after another one.
        ///
        /// * `time` (string): RFC 3339
        /// * `length` (int or string): seconds, or a text like "10m"
        /// * returns (string): RFC 3339, UTC, in whole seconds
        /// * errors: `malformed`
        /// * changes: no
        /// * also: time, add, clock
        ///
        /// ```rhai
        /// assert_eq(run::later("2026-03-01T23:30:00.5Z", "1h"), "2026-03-02T00:30:00Z");
        /// ```
        fn later(call) {
            later(call)
        }

        /// Whether this is a plan, in which nothing is written.
        ///
        /// * returns (bool): true in a plan
        /// * changes: no
        ///
        /// ```rhai
        /// assert_eq(type_of(run::planning()), "bool");
        /// ```
        fn planning(call) {
            Ok(call.session.mode() == Mode::Plan && !call.session.is_rehearsal())
        }
    }
}

/// The argument `length`: seconds, or a text.
fn length(call: &Call<'_>) -> Result<Span, Error> {
    match call.value("length")? {
        Value::String(text) => Ok(Span::parse(&text)?),
        Value::Number(number) => match number.as_u64() {
            Some(seconds) => Ok(Span::seconds(seconds)),
            None => Err(call.wrong("length", "a number of seconds from 0, or a text like \"10m\"")),
        },
        _ => Err(call.wrong("length", "a number of seconds, or a text like \"10m\"")),
    }
}

fn later(call: &Call<'_>) -> Result<String, Error> {
    let text = call.text("time")?;
    let wrong = || {
        Error::failed(
            "malformed",
            format!("run::later: \"{text}\" is no moment as RFC 3339 writes it"),
        )
    };
    let time = OffsetDateTime::parse(&text, &Rfc3339).map_err(|_| wrong())?;
    let later = time.checked_add(
        std::time::Duration::from(length(call)?)
            .try_into()
            .map_err(|_| wrong())?,
    );
    let later = later.and_then(|later| later.to_offset(UtcOffset::UTC).replace_nanosecond(0).ok());
    later.and_then(|later| later.format(&Rfc3339).ok()).ok_or_else(wrong)
}

fn run_step(call: &Call<'_>, afresh: bool) -> Result<Dynamic, Box<EvalAltResult>> {
    let name = call.text("name")?;
    if name.trim().is_empty() {
        let function = if afresh { "afresh" } else { "step" };
        return Err(Error::failed("wrong-argument", format!("run::{function}: `name` is empty")).into());
    }
    let body = unshare_fn(call.closure("body")?);
    let body = || -> Result<Value, Box<EvalAltResult>> {
        let returned: Dynamic = body.call_within_context(call.context(), ())?;
        Ok(to_json(&returned)?)
    };
    let value = if afresh {
        call.session.step_afresh(&name, body)?
    } else {
        call.session.step(&name, None, body)?
    };
    Ok(from_json(&value))
}
