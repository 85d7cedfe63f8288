//! One call of a function by a script: the session it belongs to, and its arguments as the types they must be.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use rhai::{Dynamic, EvalAltResult, FnPtr, NativeCallContext};
use serde_json::{Map, Value};

use super::plugins::Plugins;
use super::spec::OpSpec;
use super::value::{from_json, kind_with_article, to_json};
use crate::error::Error;
use crate::run::Session;
use crate::types::{ResourceId, Scope};

/// What every call of one engine shares: its session, and the scripts that it may call.
pub struct Bound {
    /// The session that scripts of this engine run in.
    pub session: Arc<Session>,
    /// The sources, finders and constants of script files.
    pub plugins: Arc<dyn Plugins>,
    /// What modules keep between the calls of one session, by a name of their own.
    kept: Mutex<BTreeMap<&'static str, Arc<dyn std::any::Any + Send + Sync>>>,
}

impl Bound {
    pub(super) fn new(session: Arc<Session>, plugins: Arc<dyn Plugins>) -> Self {
        Self {
            session,
            plugins,
            kept: Mutex::default(),
        }
    }
}

/// One call.
pub struct Call<'a> {
    /// The session that the script runs in.
    pub session: &'a Arc<Session>,
    bound: &'a Bound,
    spec: &'a OpSpec,
    arguments: Vec<Dynamic>,
    context: &'a NativeCallContext<'a>,
}

impl<'a> Call<'a> {
    pub(super) fn new(
        bound: &'a Bound,
        spec: &'a OpSpec,
        arguments: Vec<Dynamic>,
        context: &'a NativeCallContext<'a>,
    ) -> Self {
        Self {
            session: &bound.session,
            bound,
            spec,
            arguments,
            context,
        }
    }

    /// The function's name as scripts write it: `arm::get`.
    pub fn function(&self) -> String {
        self.spec.path()
    }

    /// Rhai's side of the call, for calling closures.
    pub fn context(&self) -> &NativeCallContext<'a> {
        self.context
    }

    /// What all calls of this engine share.
    pub fn bound(&self) -> &'a Bound {
        self.bound
    }

    /// The key of the script file that makes the call, as `stdlib/permissions/key_vault.rhai`.
    pub fn file(&self) -> &str {
        self.context.call_source().unwrap_or_default()
    }

    /// A constant of the script file that makes the call, or nothing where it has none of this name.
    pub fn constant(&self, name: &str) -> Result<Option<Value>, Error> {
        self.bound.plugins.constant_of(self.file(), name)
    }

    /// A value that a module keeps for the length of the session; `make` makes it at the first call.
    pub fn kept<T: Send + Sync + 'static>(&self, name: &'static str, make: impl FnOnce() -> T) -> Arc<T> {
        let mut kept = self
            .bound
            .kept
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(found) = kept.get(name).cloned().and_then(|any| any.downcast::<T>().ok()) {
            return found;
        }
        let made = Arc::new(make());
        kept.insert(name, made.clone());
        made
    }

    /// An argument as it came; `()` where an optional one was left out.
    pub fn dynamic(&self, name: &str) -> Dynamic {
        let position = self.spec.params.iter().position(|param| param.name == name);
        debug_assert!(position.is_some(), "{} documents no parameter {name}", self.spec.path());
        position
            .and_then(|index| self.arguments.get(index))
            .cloned()
            .unwrap_or_default()
    }

    /// An argument as JSON.
    pub fn value(&self, name: &str) -> Result<Value, Error> {
        to_json(&self.dynamic(name)).map_err(|mut error| {
            error.message = format!("{}: `{name}`: {}", self.function(), error.message);
            error
        })
    }

    /// An optional argument as JSON; nothing where it was left out or is `()`.
    pub fn optional(&self, name: &str) -> Result<Option<Value>, Error> {
        Ok(Some(self.value(name)?).filter(|value| !value.is_null()))
    }

    /// A string.
    pub fn text(&self, name: &str) -> Result<String, Error> {
        match self.value(name)? {
            Value::String(text) => Ok(text),
            _ => Err(self.wrong(name, "a string")),
        }
    }

    /// An optional string.
    pub fn optional_text(&self, name: &str) -> Result<Option<String>, Error> {
        if self.dynamic(name).is_unit() {
            Ok(None)
        } else {
            self.text(name).map(Some)
        }
    }

    /// A whole number.
    pub fn int(&self, name: &str) -> Result<i64, Error> {
        self.value(name)?.as_i64().ok_or_else(|| self.wrong(name, "an int"))
    }

    /// True or false.
    pub fn boolean(&self, name: &str) -> Result<bool, Error> {
        self.value(name)?.as_bool().ok_or_else(|| self.wrong(name, "a bool"))
    }

    /// A map.
    pub fn map(&self, name: &str) -> Result<Map<String, Value>, Error> {
        match self.value(name)? {
            Value::Object(map) => Ok(map),
            _ => Err(self.wrong(name, "a map")),
        }
    }

    /// An array.
    pub fn array(&self, name: &str) -> Result<Vec<Value>, Error> {
        match self.value(name)? {
            Value::Array(items) => Ok(items),
            _ => Err(self.wrong(name, "an array")),
        }
    }

    /// A closure, or the name of a function made with `Fn`.
    pub fn closure(&self, name: &str) -> Result<FnPtr, Error> {
        self.dynamic(name)
            .try_cast::<FnPtr>()
            .ok_or_else(|| self.wrong(name, "a closure"))
    }

    /// An optional map of options, of which only `known` may be given.
    ///
    /// # Errors
    /// `unknown-option`, with the nearest known one.
    pub fn options(&self, name: &str, known: &[&str]) -> Result<Options, Error> {
        let map = match self.optional(name)? {
            None => Map::new(),
            Some(Value::Object(map)) => map,
            Some(_) => return Err(self.wrong(name, "a map")),
        };
        if let Some(key) = map.keys().find(|key| !known.contains(&key.as_str())) {
            let mut error = Error::failed(
                "unknown-option",
                format!("{}: there is no option \"{key}\"", self.function()),
            )
            .untouched("nothing was sent");
            error.next.push(match nearest(key, known) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("the options are {}", known.join(", ")),
            });
            return Err(error);
        }
        Ok(Options {
            function: self.function(),
            map,
        })
    }

    /// A resource id: a string, or a map with `id`.
    pub fn id(&self, name: &str) -> Result<ResourceId, Error> {
        Ok(ResourceId::parse(&self.id_text(
            name,
            "id",
            "a resource id, or a map with `id`",
        )?)?)
    }

    /// A scope of any level: a string, or a map with `id`.
    pub fn scope(&self, name: &str) -> Result<Scope, Error> {
        Ok(Scope::parse(&self.id_text(
            name,
            "id",
            "a scope, or a map with `id`",
        )?)?)
    }

    /// A principal id as text: a string, or a map with `principalId`, or else `id`.
    pub fn principal(&self, name: &str) -> Result<String, Error> {
        let given = self.value(name)?;
        match given.get("principalId") {
            Some(Value::String(id)) => Ok(id.clone()),
            _ => self.id_text(name, "id", "a principal id, or a map with `principalId`"),
        }
    }

    fn id_text(&self, name: &str, key: &str, expected: &str) -> Result<String, Error> {
        match self.value(name)? {
            Value::String(text) => Ok(text),
            Value::Object(map) => match map.get(key) {
                Some(Value::String(text)) => Ok(text.clone()),
                _ => Err(self.wrong(name, expected)),
            },
            _ => Err(self.wrong(name, expected)),
        }
    }

    /// The error of an argument that is not what it must be.
    pub fn wrong(&self, name: &str, expected: &str) -> Error {
        let given = kind_with_article(&self.dynamic(name));
        Error::failed(
            "wrong-argument",
            format!("{}: `{name}` is {expected}, and {given} was given", self.function()),
        )
        .untouched("nothing was sent")
        .next(format!("ferry doc {}", self.function()))
    }
}

/// Options that a script gave, each of a known name.
#[derive(Debug, Clone)]
pub struct Options {
    function: String,
    map: Map<String, Value>,
}

impl Options {
    /// Whether the option was given, even as `()`.
    pub fn has(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    /// An option's value as it was given, `()` being null.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.map.get(name)
    }

    /// A string.
    pub fn text(&self, name: &str) -> Result<Option<String>, Error> {
        match self.map.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.wrong(name, "a string")),
        }
    }

    /// True or false; false where it was not given.
    pub fn flag(&self, name: &str) -> Result<bool, Error> {
        match self.map.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.wrong(name, "true or false")),
        }
    }

    /// A map; empty where it was not given.
    pub fn map(&self, name: &str) -> Result<Map<String, Value>, Error> {
        match self.map.get(name) {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(map)) => Ok(map.clone()),
            Some(_) => Err(self.wrong(name, "a map")),
        }
    }

    /// An array; empty where it was not given.
    pub fn array(&self, name: &str) -> Result<Vec<Value>, Error> {
        match self.map.get(name) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items.clone()),
            Some(_) => Err(self.wrong(name, "an array")),
        }
    }

    /// The error of an option that is not what it must be.
    pub fn wrong(&self, name: &str, expected: &str) -> Error {
        Error::failed(
            "wrong-argument",
            format!("{}: the option `{name}` is {expected}", self.function),
        )
        .untouched("nothing was sent")
        .next(format!("ferry doc {}", self.function))
    }
}

/// The word of `known` that is nearest to `given`, if one is near enough to be a slip.
pub fn nearest<'a>(given: &str, known: &[&'a str]) -> Option<&'a str> {
    let given = given.to_lowercase();
    known
        .iter()
        .map(|word| (strsim::damerau_levenshtein(&given, &word.to_lowercase()), *word))
        .filter(|(distance, word)| *distance <= 1 + word.chars().count().min(given.chars().count()) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// What a function gives back to the script: a value, or what a closure of the script has thrown.
pub struct Output(pub(super) Result<Dynamic, Box<EvalAltResult>>);

impl From<Result<Dynamic, Box<EvalAltResult>>> for Output {
    fn from(result: Result<Dynamic, Box<EvalAltResult>>) -> Self {
        Self(result)
    }
}

macro_rules! output_from {
    ($($kind:ty => |$value:ident| $make:expr;)*) => {
        $(impl From<$kind> for Output {
            fn from($value: $kind) -> Self {
                Self(Ok($make))
            }
        })*
    };
}

output_from! {
    Dynamic => |value| value;
    Value => |value| from_json(&value);
    Map<String, Value> => |value| super::value::from_object(&value).into();
    Vec<Value> => |value| value.iter().map(from_json).collect::<rhai::Array>().into();
    Option<Value> => |value| value.as_ref().map_or(Dynamic::UNIT, from_json);
    String => |value| value.into();
    bool => |value| value.into();
    i64 => |value| value.into();
    () => |value| value.into();
}
