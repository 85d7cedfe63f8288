//! What a runbook or a source asks for: `const PARAMS`, and `KEY=VALUE` read by it.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use rhai::Dynamic;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::ops::{nearest, to_json};
use crate::types::{Connection, PrincipalId, Region, ResourceId, Span};

/// The type of a parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ParamKind {
    /// Any text.
    String,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// A length of time, as `90s`, `10m`, `2h`; scripts get seconds.
    Duration,
    /// An Azure region; scripts get its short name.
    Region,
    /// A managed identity: its resource id, or a name where that is unique.
    Identity,
    /// A resource id.
    ResourceId,
    /// A principal: its object id, or the resource id of a managed identity.
    Principal,
    /// A group: its object id or name.
    Group,
    /// One of the declared `values`.
    Choice,
    /// A JSON document: its text, or `@FILE`, which the operator names and no script reads.
    Document,
    /// A connection to a PostgreSQL server, without a password: `host=… dbname=…`, or a URL.
    Connection,
    /// A file or a directory of the operator's machine, which no script reads; scripts get its absolute path.
    Path,
    /// Several of another type, with commas between, or given several times.
    List(Box<ParamKind>),
}

impl ParamKind {
    const NAMES: [&'static str; 14] = [
        "string",
        "bool",
        "int",
        "duration",
        "region",
        "identity",
        "resource_id",
        "principal",
        "group",
        "choice",
        "document",
        "connection",
        "path",
        "list",
    ];

    fn parse(text: &str, of: Option<&str>) -> Option<Self> {
        Some(match text.trim() {
            "string" => Self::String,
            "bool" => Self::Bool,
            "int" => Self::Int,
            "duration" => Self::Duration,
            "region" => Self::Region,
            "identity" => Self::Identity,
            "resource_id" => Self::ResourceId,
            "principal" => Self::Principal,
            "group" => Self::Group,
            "choice" => Self::Choice,
            "document" => Self::Document,
            "connection" => Self::Connection,
            "path" => Self::Path,
            "list" => Self::List(Box::new(Self::parse(of.unwrap_or("string"), None)?)),
            other => {
                let item = other
                    .strip_prefix("list of ")
                    .or_else(|| other.strip_prefix('[')?.strip_suffix(']'))?;
                Self::List(Box::new(Self::parse(item, None)?))
            }
        })
    }

    /// The type's name, as `PARAMS` spells it.
    pub fn name(&self) -> String {
        match self {
            Self::String => "string".to_owned(),
            Self::Bool => "bool".to_owned(),
            Self::Int => "int".to_owned(),
            Self::Duration => "duration".to_owned(),
            Self::Region => "region".to_owned(),
            Self::Identity => "identity".to_owned(),
            Self::ResourceId => "resource_id".to_owned(),
            Self::Principal => "principal".to_owned(),
            Self::Group => "group".to_owned(),
            Self::Choice => "choice".to_owned(),
            Self::Document => "document".to_owned(),
            Self::Connection => "connection".to_owned(),
            Self::Path => "path".to_owned(),
            Self::List(item) => format!("list of {}", item.name()),
        }
    }

    /// Whether a value of this type that is written wrongly may hold a secret.
    fn may_hide(&self) -> bool {
        match self {
            Self::Connection => true,
            Self::List(item) => item.may_hide(),
            _ => false,
        }
    }

    /// What stands for a value in usage lines.
    pub fn placeholder(&self) -> &'static str {
        match self {
            Self::Bool => "true|false",
            Self::Int => "NUMBER",
            Self::Duration => "DURATION",
            Self::Region => "REGION",
            Self::Identity => "IDENTITY",
            Self::ResourceId => "ID",
            Self::Principal => "PRINCIPAL",
            Self::Group => "GROUP",
            Self::Document => "@FILE",
            Self::Connection => "CONNECTION",
            Self::Path => "PATH",
            Self::String | Self::Choice => "VALUE",
            Self::List(item) if **item == Self::Path => "PATH,…",
            Self::List(_) => "VALUE,…",
        }
    }
}

/// One parameter that a script declares.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Declared {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: ParamKind,
    /// One sentence: what it is for.
    pub help: String,
    /// Whether it may be left out.
    pub optional: bool,
    /// What may be given, for a choice.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// Its value where it is left out.
    #[serde(skip_serializing_if = "Option::is_none", rename = "default")]
    pub fallback: Option<Value>,
}

/// Values of parameters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Params {
    /// The runbook's own.
    pub values: Map<String, Value>,
    /// Those of sources and finders: file stem, name, value.
    #[serde(default)]
    pub files: BTreeMap<String, Map<String, Value>>,
}

/// The stem of a script's key: `key_vault` of `stdlib/permissions/key_vault.rhai`.
pub(super) fn stem(key: &str) -> &str {
    let file = key.rsplit('/').next().unwrap_or(key);
    file.strip_suffix(".rhai").unwrap_or(file)
}

/// What a declaration may say.
const KEYS: [&str; 8] = ["type", "help", "optional", "values", "of", "default", "or", "item"];

/// Reads `const PARAMS` of a script.
///
/// # Errors
/// `malformed-params`, naming the script and the parameter.
pub fn declared(key: &str, params: &Dynamic) -> Result<Vec<Declared>, Error> {
    let fail = |what: String| Error::refused("malformed-params", format!("{key}: {what}")).untouched("nothing was run");
    let Value::Object(map) = to_json(params)? else {
        return Err(fail("PARAMS is no map".to_owned()));
    };
    let mut declared = Vec::new();
    for (name, given) in map {
        let Value::Object(given) = given else {
            return Err(fail(format!("PARAMS.{name} is no map")));
        };
        if let Some(unknown) = given.keys().find(|key| !KEYS.contains(&key.as_str())) {
            let mut error = fail(format!("PARAMS.{name} has no member \"{unknown}\""));
            error
                .next
                .extend(nearest(unknown, &KEYS).map(|near| format!("did you mean \"{near}\"?")));
            return Err(error);
        }
        let text = |key: &str| given.get(key).and_then(Value::as_str);
        let kind = text("type").unwrap_or("string");
        let Some(kind) = ParamKind::parse(kind, text("of").or(text("item"))) else {
            let mut error = fail(format!("PARAMS.{name}: there is no type \"{kind}\""));
            error
                .next
                .extend(nearest(kind, &ParamKind::NAMES).map(|near| format!("did you mean \"{near}\"?")));
            return Err(error.next(format!("the types are {}", ParamKind::NAMES.join(", "))));
        };
        let values: Vec<String> = given
            .get("values")
            .and_then(Value::as_array)
            .map(|values| values.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            .unwrap_or_default();
        if matches!(&kind, ParamKind::Choice) && values.is_empty() {
            return Err(fail(format!("PARAMS.{name} is a choice without `values`")));
        }
        let fallback = given
            .get("default")
            .or(given.get("or"))
            .filter(|value| !value.is_null())
            .cloned();
        declared.push(Declared {
            kind,
            help: text("help").unwrap_or_default().to_owned(),
            optional: given.get("optional") == Some(&Value::Bool(true)) || fallback.is_some(),
            values,
            fallback,
            name,
        });
    }
    // Required ones first: that is the order of usage lines and questions.
    declared.sort_by_key(|param| param.optional);
    Ok(declared)
}

impl Declared {
    /// Reads a value as it was typed.
    ///
    /// # Errors
    /// `malformed-parameter`, naming the parameter and the form that would be right.
    pub fn parse(&self, given: &str) -> Result<Value, Error> {
        self.parse_as(&self.kind, given.trim()).map_err(|why| {
            // What was meant as a connection may hold a password.
            let given = if self.kind.may_hide() { "…" } else { given };
            let error = Error::refused(
                "malformed-parameter",
                format!("{}={given} was not understood: {why}", self.name),
            )
            .untouched("nothing was contacted");
            if self.help.is_empty() {
                error
            } else {
                error.next(format!("{}: {}", self.name, self.help))
            }
        })
    }

    fn parse_as(&self, kind: &ParamKind, given: &str) -> Result<Value, String> {
        if given.is_empty() && !matches!(kind, ParamKind::List(_)) {
            return Err(format!("it is empty; a {} is needed", kind.name()));
        }
        let text = || Value::String(given.to_owned());
        Ok(match kind {
            ParamKind::Identity if given.starts_with('/') => {
                let id = ResourceId::parse(given).map_err(|error| error.why)?;
                if !id.is_type("Microsoft.ManagedIdentity/userAssignedIdentities") {
                    return Err(format!(
                        "it is the id of a {}, and no user-assigned identity",
                        id.resource_type()
                    ));
                }
                text()
            }
            ParamKind::String | ParamKind::Group | ParamKind::Identity => text(),
            ParamKind::Bool => match given {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                _ => return Err("write true or false".to_owned()),
            },
            ParamKind::Int => given
                .parse::<i64>()
                .map_err(|_| "write a whole number".to_owned())?
                .into(),
            ParamKind::Duration => Span::parse(given).map_err(|error| error.why)?.as_secs().into(),
            ParamKind::Region => Value::String(Region::parse(given).map_err(|error| error.why)?.as_str().to_owned()),
            ParamKind::Principal if !given.starts_with('/') => {
                PrincipalId::from_str(given).map_err(|error| error.why)?;
                text()
            }
            ParamKind::Principal | ParamKind::ResourceId => {
                ResourceId::parse(given).map_err(|error| error.why)?;
                text()
            }
            ParamKind::Choice => {
                if !self.values.iter().any(|value| value == given) {
                    let values: Vec<&str> = self.values.iter().map(String::as_str).collect();
                    let near = nearest(given, &values).map(|near| format!("; did you mean {near}?"));
                    return Err(format!(
                        "it is one of {}{}",
                        values.join(", "),
                        near.unwrap_or_default()
                    ));
                }
                text()
            }
            ParamKind::Document => document(given)?,
            ParamKind::Connection => Value::String(Connection::parse(given).map_err(|error| error.why)?.to_string()),
            ParamKind::Path => path(given)?,
            // A name may have a comma in it.
            ParamKind::List(item) if **item == ParamKind::Path && std::path::Path::new(given).exists() => {
                Value::Array(vec![path(given)?])
            }
            ParamKind::List(item) => {
                let parts = given.split(',').map(str::trim).filter(|part| !part.is_empty());
                Value::Array(parts.map(|part| self.parse_as(item, part)).collect::<Result<_, _>>()?)
            }
        })
    }
}

/// A JSON document: a text, or a file's. Of JSON lines, as `--json` prints them, the last one counts.
fn document(given: &str) -> Result<Value, String> {
    let text = match given.strip_prefix('@') {
        Some(path) => std::fs::read_to_string(path).map_err(|error| format!("{path} could not be read: {error}"))?,
        None => given.to_owned(),
    };
    let whole = serde_json::from_str(&text);
    let last = || {
        text.lines()
            .rfind(|line| !line.trim().is_empty())
            .map(serde_json::from_str)
    };
    match (whole, last()) {
        (Ok(value), _) | (Err(_), Some(Ok(value))) => Ok(value),
        (Err(error), _) => Err(format!("it is no JSON: {error}")),
    }
}

/// The absolute path of a file or directory, without links: a run may be resumed from another directory.
fn path(given: &str) -> Result<Value, String> {
    let path = std::fs::canonicalize(given).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file or directory".to_owned(),
        _ => format!("it could not be read: {error}"),
    })?;
    let path = path.into_os_string().into_string();
    path.map(Value::String).map_err(|_| "its name is no UTF-8".to_owned())
}

/// Reads one `KEY=VALUE` into `values`.
///
/// # Errors
/// `duplicate-parameter` for one that is no list and given twice.
pub(super) fn put(declared: &Declared, given: &str, values: &mut Map<String, Value>) -> Result<(), Error> {
    let value = declared.parse(given)?;
    match (values.get_mut(&declared.name), value) {
        (None, value) => {
            values.insert(declared.name.clone(), value);
        }
        (Some(Value::Array(before)), Value::Array(more)) => before.extend(more),
        (Some(_), _) => {
            return Err(
                Error::refused("duplicate-parameter", format!("{} was given twice", declared.name))
                    .untouched("nothing was contacted"),
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(declaration: &str) -> Declared {
        let engine = rhai::Engine::new();
        let params = engine.eval::<Dynamic>(&format!("#{{ p: {declaration} }}")).unwrap();
        declared("my.rhai", &params).unwrap().remove(0)
    }

    #[test]
    fn values_are_read_by_their_type() {
        for (declaration, given, value) in [
            ("#{ type: \"duration\" }", "10m", serde_json::json!(600)),
            (
                "#{ type: \"region\" }",
                "North Europe",
                serde_json::json!("northeurope"),
            ),
            ("#{ type: \"int\" }", "-3", serde_json::json!(-3)),
            ("#{ type: \"bool\" }", "true", serde_json::json!(true)),
            ("#{ type: \"list\", of: \"int\" }", "1, 2", serde_json::json!([1, 2])),
            ("#{ type: \"list of string\" }", "", serde_json::json!([])),
            (
                "#{ type: \"choice\", values: [\"a\", \"b\"] }",
                "b",
                serde_json::json!("b"),
            ),
            ("#{ type: \"identity\" }", "id-orders", serde_json::json!("id-orders")),
        ] {
            assert_eq!(one(declaration).parse(given).unwrap(), value, "{declaration}");
        }
    }

    #[test]
    fn a_path_is_that_of_something_that_is_there_without_links_and_whole() {
        let directory = tempfile::tempdir().unwrap();
        let real = std::fs::canonicalize(directory.path()).unwrap();
        let file = real.join("a, b.tf");
        std::fs::write(&file, "").unwrap();
        let (file, real) = (file.to_str().unwrap(), real.to_str().unwrap());
        let dotted = format!("{real}/../{}/.", real.rsplit('/').next().unwrap());
        assert_eq!(one("#{ type: \"path\" }").parse(&dotted).unwrap(), real);
        let list = one("#{ type: \"list of path\" }");
        assert_eq!(list.parse(file).unwrap(), serde_json::json!([file]));
        assert_eq!(
            list.parse(&format!("{real},{real}")).unwrap(),
            serde_json::json!([real, real])
        );
        let error = list.parse(&format!("{real},{real}/none")).unwrap_err();
        assert_eq!((error.code.as_str(), error.exit_code()), ("malformed-parameter", 2));
        assert!(error.message.contains("no such file or directory"), "{}", error.message);
    }

    #[test]
    fn a_value_of_another_type_is_refused_with_the_right_form() {
        for (declaration, given, part) in [
            ("#{ type: \"duration\" }", "soon", "10m"),
            ("#{ type: \"bool\" }", "yes", "true or false"),
            (
                "#{ type: \"choice\", values: [\"overlap\", \"swap\"] }",
                "overlp",
                "did you mean overlap?",
            ),
            ("#{ type: \"resource_id\" }", "vm", "/subscriptions/"),
            ("#{ type: \"principal\" }", "somebody", ""),
            ("#{ type: \"string\" }", "", "empty"),
            (
                "#{ type: \"identity\" }",
                "/subscriptions/1/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v",
                "no user-assigned identity",
            ),
        ] {
            let error = one(declaration).parse(given).unwrap_err();
            assert_eq!((error.code.as_str(), error.exit_code()), ("malformed-parameter", 2));
            assert!(error.message.contains(part), "{}", error.message);
        }
    }

    #[test]
    fn a_slip_in_a_declaration_is_named() {
        let engine = rhai::Engine::new();
        let params = engine.eval::<Dynamic>("#{ p: #{ type: \"regoin\" } }").unwrap();
        let error = declared("my.rhai", &params).unwrap_err();
        assert!(error.next[0].contains("region"), "{error:?}");
    }
}
