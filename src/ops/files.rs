//! `files::`, where files of the operator's machine name an identity.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::call::Call;
use super::spec::OpModule;
use crate::error::Error;
use crate::run::placeholder;
use crate::scan::{self, Identity, Names};

pub(crate) fn module() -> OpModule {
    crate::ops! { files,
        "Files of the operator's machine: those that a parameter of the type `path` names, and no others.";

        /// Looks for an identity in files: infrastructure as code, manifests, pipelines, settings.
        ///
        /// Places are told by file, line and column, with the id or the name that stands there and what is to stand there
        /// instead; what else a file says is not given away. Only what a parameter of the run of the type `path` (or
        /// `list of path`) names can be looked through. A path that has gone since is listed as `gone`.
        ///
        /// * `paths` (array): files and directories
        /// * `old` (map): the identity that is looked for, as of `identity::find`
        /// * `new_one` (map): the identity to be named instead; `()` where there is none
        /// * returns (map): `paths`, `identity` and `target` (what is known of both), `read` (how many files), `places` (maps with
        ///   `file`, `line`, `column`, `word`, `from`, `to`, `kind`, and where it helps `doubtful` and `why`), `left_out` (what was not looked into: maps with `why`, `count` and the `first` one), `gone`
        /// * errors: `path-not-named`
        /// * changes: no
        /// * also: terraform, bicep, arm template, kubernetes, helm, pipeline, grep, infrastructure as code
        ///
        /// ```rhai
        /// // estate: one-vm
        /// let found = files::scan([], #{ id: "/a", name: "n" }, ());
        /// assert_eq(found.places.len(), 0);
        /// ```
        fn scan(call) {
            scan(call)
        }
    }
}

fn scan(call: &Call<'_>) -> Result<Value, Error> {
    let paths = call
        .array("paths")?
        .iter()
        .map(|path| allowed(call, path))
        .collect::<Result<Vec<_>, _>>()?;
    let new = call.optional("new_one")?;
    let names = Names {
        old: known(&call.value("old")?),
        new: new.as_ref().map(known),
    };
    let cancel = call.session.cancel();
    let found = scan::look(&paths, &names, &|| !cancel.is_cancelled());
    // Half a look is none: whoever stopped it is told so.
    call.session.block(async { Ok::<(), Error>(()) })?;
    // A directory may be called as a setting is that was read: that is no reason to stop.
    let shown = |path: &Path| call.session.hide_text(&path.to_string_lossy());
    let all = |paths: &[PathBuf]| -> Vec<String> { paths.iter().map(|path| shown(path)).collect() };
    let mut places = Vec::new();
    for place in found.places() {
        let mut told = place.to_json(placeholder::SHOWN);
        told["file"] = Value::String(shown(&place.file));
        places.push(told);
    }
    // One line a reason: there may be ten thousand pictures.
    let mut left_out: Vec<(&str, &Path, usize)> = Vec::new();
    for left in &found.left_out {
        match left_out.iter_mut().find(|(why, ..)| *why == left.why) {
            Some((_, _, count)) => *count += 1,
            None => left_out.push((&left.why, &left.path, 1)),
        }
    }
    let left_out: Vec<Value> = left_out
        .into_iter()
        .map(|(why, first, count)| json!({ "first": shown(first), "why": why, "count": count }))
        .collect();
    Ok(json!({
        "paths": all(&paths),
        "identity": names.old.to_json(),
        "target": names.new.as_ref().map(Identity::to_json),
        "read": found.read,
        "places": places,
        "left_out": left_out,
        "gone": all(&found.gone),
    }))
}

/// A path that the operator named, or one below it.
fn allowed(call: &Call<'_>, path: &Value) -> Result<PathBuf, Error> {
    let Some(path) = path.as_str() else {
        return Err(call.wrong("paths", "an array of paths"));
    };
    call.session.allowed_path(path).ok_or_else(|| {
        Error::failed(
            "path-not-named",
            format!("{path} was not looked through: no parameter of this run names it"),
        )
        .untouched("every file: none was read")
        .next("declare a parameter of the type `path` in PARAMS, and give its value to files::scan")
    })
}

/// What is known of an identity by now.
fn known(map: &Value) -> Identity {
    let mut map = map.clone();
    if let Value::Object(members) = &mut map {
        members.retain(|_, value| !value.as_str().is_some_and(placeholder::is_in));
    }
    Identity::read(&map)
}
