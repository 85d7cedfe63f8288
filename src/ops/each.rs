//! `run::each`: a step for each item, in parallel, with lines of items that go one after another.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rhai::{Array, Dynamic, EvalAltResult};
use serde_json::{Map, Value, json};

use super::call::Call;
use super::captures::{unshare, unshare_fn};
use super::lines::Lines;
use super::thrown::{ending, is_passing, sentence};
use super::value::{from_json, to_json};
use crate::error::{Error, Kind};
use crate::run::{Mode, current_path, path};

/// Threads of branches run closures that call functions that call closures: twice the usual stack and more.
const STACK: usize = 8 << 20;

/// More items than a tenant has of anything: each is a step, which the journal keeps.
const MOST: usize = 250_000;

/// One item, with everything that its branch needs.
struct Item {
    value: Dynamic,
    input: Value,
    /// `file` and `id`, or just the id.
    segments: Vec<String>,
    lane: Option<String>,
    lines: Vec<String>,
}

/// How an item ended.
#[allow(clippy::large_enum_variant)] // A pause is rare, and there is one outcome an item.
enum Outcome {
    Done(Value),
    Failed(Box<EvalAltResult>),
    /// It waits: for time, or for a person.
    Parked(Error),
    /// Left out, because this item of its lane has failed.
    Skipped(usize),
    /// Ended for good, and with it the whole run: the journal cannot be written, say.
    Ended(Error),
    /// Not begun, because the run was interrupted or ended.
    Stopped,
}

pub(super) fn run(call: &Call<'_>) -> Result<Dynamic, Box<EvalAltResult>> {
    let name = call.text("name")?;
    let body = call.closure("body")?;
    let Some(given) = call.dynamic("items").try_cast::<Array>() else {
        return Err(call.wrong("items", "an array").into());
    };
    if given.len() > MOST {
        return Err(Error::failed(
            "limit-reached",
            format!("run::each \"{name}\": {} items are more than {MOST}", given.len()),
        )
        .untouched("none of the items was begun")
        .next("work on them in several calls, each with its own name")
        .into());
    }
    let items = given
        .into_iter()
        .enumerate()
        .map(|(index, item)| Item::read(call, index, item));
    let items: Vec<Item> = items.collect::<Result<_, Error>>()?;
    refuse_equal_keys(&name, &items)?;
    let steps: Vec<(&[String], &Value)> = items
        .iter()
        .map(|item| (item.segments.as_slice(), &item.input))
        .collect();
    call.session.refuse_changed_items(&name, &steps)?;

    let (base, reads_only) = (current_path(), path::reads_only());
    let outcomes: Vec<Mutex<Option<Outcome>>> = items.iter().map(|_| Mutex::new(None)).collect();
    let lines = Lines::new(items.iter().map(|item| item.lines.as_slice()));
    let failed_lanes: Mutex<BTreeMap<&str, Poison>> = Mutex::default();
    let ended = AtomicBool::new(false);
    let set = |index: usize, outcome: Outcome| {
        *outcomes[index].lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    };

    let branch = |index: usize| -> Outcome {
        let item = &items[index];
        let mut below = vec![name.clone()];
        below.extend(item.segments.iter().cloned());
        super::effort::begin();
        let made = path::with(base.clone(), || {
            path::reading(reads_only, || {
                call.session
                    .step_at(&below, Some(&item.input), || -> Result<Value, Box<EvalAltResult>> {
                        let closure = unshare_fn(body.clone());
                        let returned: Dynamic =
                            closure.call_within_context(call.context(), (unshare(item.value.clone()),))?;
                        Ok(to_json(&returned)?)
                    })
            })
        });
        match made {
            Ok(value) => Outcome::Done(value),
            Err(error) => match ending(&error) {
                Some(end) if end.kind == Kind::Paused => Outcome::Parked(end),
                Some(end) if end.kind == Kind::Interrupted => Outcome::Stopped,
                Some(end) => Outcome::Ended(end),
                None => Outcome::Failed(error),
            },
        }
    };

    let work = || {
        while let Some(index) = lines.take() {
            let lane = items[index].lane.as_deref();
            let poisoned = lane.and_then(|lane| {
                failed_lanes
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .get(lane)
                    .cloned()
            });
            let outcome = match poisoned {
                _ if ended.load(Ordering::SeqCst)
                    || call.session.cancel().is_cancelled()
                    || call.session.drifted().is_some() =>
                {
                    Outcome::Stopped
                }
                Some(Poison::Failed(first)) => Outcome::Skipped(first),
                Some(Poison::Parked(error)) => Outcome::Parked(error),
                None => catch_unwind(AssertUnwindSafe(|| branch(index))).unwrap_or_else(|_| {
                    Outcome::Failed(Error::failed("internal", "a branch panicked; this is a defect of ferry").into())
                }),
            };
            if matches!(outcome, Outcome::Ended(_)) {
                ended.store(true, Ordering::SeqCst);
            }
            let poison = match &outcome {
                Outcome::Failed(_) => Some(Poison::Failed(index)),
                Outcome::Parked(error) => Some(Poison::Parked(error.clone())),
                _ => None,
            };
            if let (Some(lane), Some(poison)) = (lane, poison) {
                failed_lanes
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .entry(lane)
                    .or_insert(poison);
            }
            set(index, outcome);
            lines.finish(index);
        }
    };

    let one_by_one = call.session.mode() == Mode::Plan;
    let workers = if one_by_one {
        1
    } else {
        call.session.concurrency().clamp(1, items.len().max(1))
    };
    std::thread::scope(|scope| {
        // This thread is a worker too, so that the work is done even if no other thread can be started.
        for number in 1..workers {
            let thread = std::thread::Builder::new()
                .name(format!("{name} {number}"))
                .stack_size(STACK);
            if thread.spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        work();
    });

    let outcomes = outcomes.into_iter().map(|slot| {
        slot.into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .unwrap_or(Outcome::Stopped)
    });
    let made = together(&name, &items, outcomes.collect());
    // Drift stops the whole run, whatever else went wrong beside it.
    match call.session.drifted() {
        Some(drift) => Err(drift.into()),
        None => made,
    }
}

#[derive(Clone)]
#[allow(clippy::large_enum_variant)] // One a lane.
enum Poison {
    Failed(usize),
    Parked(Error),
}

impl Item {
    fn read(call: &Call<'_>, index: usize, value: Dynamic) -> Result<Self, Error> {
        let input = to_json(&value).map_err(|mut error| {
            error.message = format!("run::each: item {index}: {}", error.message);
            error
        })?;
        let none = Map::new();
        let map = input.as_object().unwrap_or(&none);
        let text = |key: &str| map.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        let Some(id) = input.as_str().or_else(|| text("id")) else {
            return Err(Error::failed(
                "wrong-argument",
                format!("run::each: item {index} has no `id`, which is the key of its step"),
            )
            .untouched("none of the items was begun")
            .next(format!("ferry doc {}", call.function())));
        };
        let mut segments: Vec<String> = text("file").map(str::to_owned).into_iter().collect();
        segments.push(path::item_key(id));
        let lane = text("lane").map(str::to_owned);
        let mut lines: Vec<String> = match map.get("serial") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::String(one)) => vec![format!("serial {one}")],
            Some(Value::Array(many)) if many.iter().all(Value::is_string) => many
                .iter()
                .filter_map(Value::as_str)
                .map(|line| format!("serial {line}"))
                .collect(),
            Some(_) => {
                return Err(Error::failed(
                    "wrong-argument",
                    format!("run::each: `serial` of item {index} is a string or an array of strings"),
                ));
            }
        };
        lines.extend(lane.iter().map(|lane| format!("lane {lane}")));
        lines.sort();
        lines.dedup();
        Ok(Self {
            value,
            input,
            segments,
            lane,
            lines,
        })
    }

    fn key(&self) -> String {
        path::printed(&self.segments)
    }
}

fn refuse_equal_keys(name: &str, items: &[Item]) -> Result<(), Error> {
    let mut seen: BTreeMap<&[String], usize> = BTreeMap::new();
    for (index, item) in items.iter().enumerate() {
        if let Some(first) = seen.insert(&item.segments, index) {
            return Err(Error::failed(
                "duplicate-key",
                format!(
                    "run::each \"{name}\": items {first} and {index} have the same key {}",
                    item.key()
                ),
            )
            .untouched("none of the items was begun")
            .next("give each item an `id` of its own"));
        }
    }
    Ok(())
}

/// The results of all items, or everything that went wrong, in one error.
fn together(name: &str, items: &[Item], mut outcomes: Vec<Outcome>) -> Result<Dynamic, Box<EvalAltResult>> {
    let total = outcomes.len();
    if let Some(index) = outcomes.iter().position(|outcome| matches!(outcome, Outcome::Ended(_)))
        && let Outcome::Ended(end) = outcomes.swap_remove(index)
    {
        return Err(end.into());
    }
    let (mut results, mut failed, mut skipped, mut parked) = (Array::with_capacity(total), vec![], vec![], vec![]);
    for (index, outcome) in outcomes.into_iter().enumerate() {
        match outcome {
            Outcome::Done(value) => results.push(from_json(&value)),
            Outcome::Failed(error) => failed.push((index, error)),
            Outcome::Skipped(after) => skipped.push((index, after)),
            Outcome::Parked(error) | Outcome::Ended(error) => parked.push(error),
            Outcome::Stopped => {
                return Err(Error::failed("interrupted", format!("\"{name}\" was interrupted"))
                    .kind(Kind::Interrupted)
                    .into());
            }
        }
    }
    if failed.len() == 1 && skipped.is_empty() {
        // The one failure is shown as it is, with its place in the script.
        return failed.pop().map_or(Ok(Dynamic::UNIT), |(_, error)| Err(error));
    }
    if !failed.is_empty() {
        return Err(all_failures(name, items, total, &failed, &skipped));
    }
    let more = parked.len().saturating_sub(1);
    if let Some(mut first) = parked.into_iter().next() {
        if more > 0 {
            first.message = format!("{} (and {more} more of \"{name}\" wait)", first.message);
        }
        return Err(first.into());
    }
    Ok(results.into())
}

#[allow(clippy::unnecessary_box_returns)] // Rhai's errors are boxed wherever they are passed on.
fn all_failures(
    name: &str,
    items: &[Item],
    total: usize,
    failed: &[(usize, Box<EvalAltResult>)],
    skipped: &[(usize, usize)],
) -> Box<EvalAltResult> {
    let mut message = format!("{} of {total} items of \"{name}\" failed", failed.len());
    let mut failures = Vec::new();
    for (index, error) in failed {
        let said = sentence(error);
        let _ = write!(message, "\n{}: {said}", items[*index].key());
        failures.push(json!({ "id": items[*index].key(), "message": said }));
    }
    for (index, after) in skipped {
        let _ = write!(
            message,
            "\n{}: not begun, after {} failed",
            items[*index].key(),
            items[*after].key()
        );
    }
    let mut error = Error::failed("items-failed", message).untouched(format!(
        "{} of {total} items of \"{name}\" are done",
        total - failed.len() - skipped.len()
    ));
    error.passing = failed.iter().any(|(_, error)| is_passing(error));
    let mut thrown = super::thrown::thrown(&error);
    if let Some(mut map) = thrown.write_lock::<rhai::Map>() {
        map.insert("failures".into(), from_json(&Value::Array(failures)));
    }
    EvalAltResult::ErrorRuntime(thrown, rhai::Position::NONE).into()
}
