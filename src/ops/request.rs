//! Requests of the generic operations, from a path and a map of options.

use serde_json::{Map, Value};

use super::call::{Call, Options};
use super::resource_types;
use crate::error::Error;
use crate::run::change::{Action, Before, Change, Probe, Undo, Write, WritePlane};

/// The options that every generic operation takes.
pub(super) const COMMON: &[&str] = &[
    "api_version",
    "version",
    "headers",
    "query",
    "missing",
    "what",
    "effect",
    "audience",
    "undo",
    "probe",
    "reads",
];

/// A request to Azure Resource Manager: the api-version is chosen by the resource's type, unless told.
pub(super) fn arm(call: &Call<'_>, method: &str, path: &str, options: &Options) -> Result<Write, Error> {
    let path = if path.starts_with('/') || path.contains("://") {
        path.to_owned()
    } else {
        format!("/{path}")
    };
    let mut write = Write::new(WritePlane::Arm, method, &path);
    extend(&mut write, options)?;
    match options.text("api_version")? {
        Some(version) => write.set_query("api-version", &version),
        None if write
            .query
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("api-version")) => {}
        None => {
            let subject = if method == "POST" {
                parent_of_action(&write.path)
            } else {
                write.path.clone()
            };
            let version = resource_types::api_version(call, &subject)?;
            write.set_query("api-version", &version);
        }
    }
    Ok(write)
}

/// The document that an action belongs to: the path without its last segment, where it is an action at all.
fn parent_of_action(path: &str) -> String {
    if crate::types::ResourceId::parse(path).is_ok() {
        return path.to_owned();
    }
    path.rsplit_once('/').map_or(path, |(parent, _)| parent).to_owned()
}

/// A request to Microsoft Graph; the version is `v1.0`, unless told.
pub(super) fn graph(method: &str, path: &str, options: &Options) -> Result<Write, Error> {
    let trimmed = path.trim_start_matches('/');
    let versioned = trimmed.starts_with("v1.0/") || trimmed.starts_with("beta/");
    let path = if path.contains("://") {
        path.to_owned()
    } else if versioned {
        format!("/{trimmed}")
    } else {
        format!(
            "/{}/{trimmed}",
            options.text("version")?.unwrap_or_else(|| "v1.0".into())
        )
    };
    let mut write = Write::new(WritePlane::Graph, method, &path);
    extend(&mut write, options)?;
    Ok(write)
}

/// A request to a data plane, with a token for the audience that is given.
pub(super) fn data(call: &Call<'_>, method: &str, url: &str, options: &Options) -> Result<Write, Error> {
    let refuse = |why: &str| {
        Error::failed("wrong-argument", format!("{}: {why}", call.function()))
            .on(url)
            .untouched("nothing was sent")
    };
    if !url.starts_with("https://") {
        return Err(refuse("a data plane is addressed as https://HOST/…"));
    }
    let host = url["https://".len()..]
        .split(['/', '?', ':'])
        .next()
        .unwrap_or_default()
        .to_lowercase();
    let named = match call.constant("HOSTS")? {
        Some(Value::Array(hosts)) => hosts.iter().filter_map(Value::as_str).any(|known| {
            let known = known.to_lowercase();
            host == known || known.strip_prefix('*').is_some_and(|suffix| host.ends_with(suffix))
        }),
        _ => false,
    };
    // Without an audience no token is sent: probes of addresses that the operator named, on the command line or at the prompt.
    let audience = options.text("audience")?.unwrap_or_default();
    let typed = ["", "eval", "prompt"].contains(&call.file());
    if audience.is_empty() && !named && !typed && !call.session.is_host_allowed(&host) {
        return Err(Error::failed(
            "host-not-allowed",
            format!(
                "{}: neither this script's HOSTS nor a parameter of the run names {host}",
                call.function()
            ),
        )
        .on(format!("https://{host}"))
        .untouched("nothing was sent")
        .next(format!("in the script: const HOSTS = [\"{host}\"];")));
    }
    let mut write = Write::new(WritePlane::Data { audience, named }, method, url);
    extend(&mut write, options)?;
    Ok(write)
}

fn extend(write: &mut Write, options: &Options) -> Result<(), Error> {
    for (name, value) in options.map("query")? {
        write.set_query(&name, &plain(&value));
    }
    for (name, value) in options.map("headers")? {
        write.headers.push((name, plain(&value)));
    }
    Ok(())
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Reads one document; what a 404 gives is the option `missing`, or else an error.
pub(super) fn get(call: &Call<'_>, write: &Write, options: &Options) -> Result<Value, Error> {
    match call.session.get(write)? {
        Some(document) => Ok(document),
        None if options.has("missing") => Ok(options.get("missing").cloned().unwrap_or_default()),
        None => Err(not_found(write.target())),
    }
}

/// The error of something that is not there.
pub(super) fn not_found(target: &str) -> Error {
    let mut error = Error::failed("not-found", "there is nothing under this path, or it may not be seen")
        .on(target)
        .untouched("nothing was changed")
        .next("pass #{ missing: () } where it may be absent");
    error.azure = Some(crate::error::Said {
        status: 404,
        code: "NotFound".into(),
        message: "the resource was not found".into(),
        request_id: None,
        correlation_id: None,
    });
    error
}

/// How names of actions begin that only read.
const READING: &[&str] = &["list", "check", "validate", "get"];

/// Further ones, which count where the script says that they read: the same word may also begin another's name.
const SAID_TO_READ: &[&str] = &[
    "query",
    "search",
    "whatif",
    "export",
    "exists",
    "is",
    "preview",
    "calculate",
    "evaluate",
    "resolve",
    "describe",
    "fetch",
    "download",
    "lookup",
    "find",
    "show",
    "generate",
];

/// Whether a POST only reads: by the name of its action, or because the script says so of one whose name allows it. A
/// script's word alone is not enough: what it lied about would be written past the journal.
pub(super) fn reads(call: &Call<'_>, write: &Write, options: &Options) -> Result<bool, Error> {
    let action = write.path.rsplit('/').next().unwrap_or_default();
    let action = action.rsplit('.').next().unwrap_or_default();
    let lower = action.to_lowercase();
    let begins = |words: &[&str]| words.iter().any(|word| lower.starts_with(word));
    // Graph has collections that begin so: a POST to `lists` makes one.
    let goes_on = |word: &&&str| {
        let rest = action.get(word.len()..).and_then(|rest| rest.chars().next());
        lower.starts_with(**word) && rest.is_none_or(|next| next.is_ascii_uppercase() || next == '(')
    };
    let by_name = match write.plane {
        WritePlane::Graph => READING.iter().find(goes_on).is_some(),
        WritePlane::Data { .. } | WritePlane::Postgres { .. } => false,
        WritePlane::Arm => {
            begins(READING)
                || write
                    .path
                    .to_lowercase()
                    .ends_with("/providers/microsoft.resourcegraph/resources")
        }
    };
    if by_name || !options.flag("reads")? {
        return Ok(by_name);
    }
    if begins(READING) || begins(SAID_TO_READ) || is_shown(write) {
        return Ok(true);
    }
    Err(Error::failed(
        "wrong-argument",
        format!(
            "{}: `reads` was said of \"{action}\", which is no action that only reads",
            call.function()
        ),
    )
    .on(write.target())
    .untouched("nothing was sent")
    .next("leave `reads` out: the request is then a change, planned and journaled like any other"))
}

/// Whether a request asks Data Explorer to show something: all its commands go to one address, and those that show only
/// read.
fn is_shown(write: &Write) -> bool {
    let command = write
        .body
        .as_ref()
        .and_then(|body| body.get("csl"))
        .and_then(Value::as_str);
    let command = command.unwrap_or_default().trim_start().to_lowercase();
    matches!(write.plane, WritePlane::Data { .. }) && command.starts_with(".show ")
}

/// The change of a generic operation, with what the options say of it.
pub(super) fn change(call: &Call<'_>, op: &str, write: Write, options: &Options) -> Result<Change, Error> {
    let named = write.path.rsplit('/').next().unwrap_or_default().to_owned();
    let what = options
        .text("what")?
        .unwrap_or_else(|| format!("{} {named}", write.method));
    let plane = write.plane.clone();
    let mut change = Change::send(op, what, write);
    if let Some(effect) = options.text("effect")? {
        change.effect = effect;
    }
    let undo = options.map("undo")?;
    if undo.get("created") == Some(&Value::Bool(true)) {
        // The id is Azure's to give: what the request made is found by its answer, or in the collection.
        if let Action::Send(sent) = &change.action {
            change.undo = Some(Undo::Created(sent.as_method("POST")));
        }
    } else if !undo.is_empty() {
        change.undo = Some(Undo::Send(undo_request(call, &plane, &undo, options)?));
        // What names its own way back is an action in the clothes of a document: it has no before-image, and a
        // GET of its path shows nothing to compare with.
        change.before = Before::Unreadable;
        change.probe = Probe::Unknowable;
    }
    let probe = options.map("probe")?;
    if !probe.is_empty() {
        change.probe = probe_of(call, &plane, &probe, options)?;
    }
    Ok(change)
}

/// How it is told that the change is in place: what another document then holds, or lacks.
fn probe_of(
    call: &Call<'_>,
    plane: &WritePlane,
    probe: &Map<String, Value>,
    options: &Options,
) -> Result<Probe, Error> {
    let wrong = || options.wrong("probe", "a map with `path`, and `holds` or `lacks`");
    let path = probe.get("path").and_then(Value::as_str).ok_or_else(wrong)?;
    let (wanted, there) = match (probe.get("holds"), probe.get("lacks")) {
        (Some(wanted), None) => (wanted, true),
        (None, Some(wanted)) => (wanted, false),
        _ => return Err(wrong()),
    };
    let read = match plane {
        WritePlane::Arm => arm(call, "GET", path, options)?,
        WritePlane::Graph => graph("GET", path, options)?,
        WritePlane::Data { .. } | WritePlane::Postgres { .. } => Write::new(plane.clone(), "GET", path),
    };
    Ok(Probe::Holds {
        read,
        wanted: wanted.clone(),
        there,
    })
}

fn undo_request(
    call: &Call<'_>,
    plane: &WritePlane,
    undo: &Map<String, Value>,
    options: &Options,
) -> Result<Write, Error> {
    let text = |name: &str| undo.get(name).and_then(Value::as_str).map(str::to_owned);
    let (Some(method), Some(path)) = (text("method"), text("path")) else {
        return Err(options.wrong(
            "undo",
            "a map with `method`, `path`, and where needed `body`; or `created: true`",
        ));
    };
    let mut write = match plane {
        WritePlane::Arm => arm(call, &method, &path, options)?,
        WritePlane::Graph => graph(&method, &path, options)?,
        WritePlane::Data { .. } | WritePlane::Postgres { .. } => Write::new(plane.clone(), &method, &path),
    };
    write.body = undo.get("body").filter(|body| !body.is_null()).cloned();
    Ok(write)
}

/// Makes the change; what it answered is the script's value.
pub(super) fn make(call: &Call<'_>, change: Change) -> Result<Value, Error> {
    call.session.change(change)
}
