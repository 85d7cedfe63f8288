//! The body of a request, read.

use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use super::estate::Scopes;
use super::failure::Fault;
use super::tables::AuthorizationScopeFilter;

/// Most rows in a page, and how many there are unless the request says otherwise.
pub const PAGE: usize = 1_000;

/// A request.
pub struct Request {
    /// The query.
    pub query: String,
    /// Its scopes.
    pub scopes: Scopes,
    /// Rows in a page.
    pub top: usize,
    /// Rows before the page.
    pub skip: usize,
    /// Columns and rows apart instead of objects.
    pub table: bool,
    /// What is counted over the result.
    pub facets: Vec<Json>,
    /// What binds a skip token to this query and these scopes.
    pub fingerprint: String,
}

/// What a skip token holds.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Token {
    /// Rows before the page.
    pub at: usize,
    /// Rows in a page.
    pub top: usize,
    /// The query's fingerprint.
    pub of: String,
}

impl Request {
    /// Reads a body.
    ///
    /// # Errors
    /// When a member is not as it must be, or a skip token belongs to another query.
    pub fn read(body: &Json) -> Result<Self, Fault> {
        let Some(query) = body
            .get("query")
            .and_then(Json::as_str)
            .filter(|query| !query.trim().is_empty())
        else {
            return wrong("The query is missing or empty.");
        };
        let options = body.get("options").filter(|options| !options.is_null());
        let option = |key: &str| {
            options
                .and_then(|options| options.get(key))
                .filter(|value| !value.is_null())
        };
        let number = |key: &str| match option(key) {
            None => Ok(None),
            Some(value) => match value.as_u64().and_then(|number| usize::try_from(number).ok()) {
                Some(number) => Ok(Some(number)),
                None => wrong(format!("The option '{key}' must be a number that is not negative.")),
            },
        };
        let filter = match option("authorizationScopeFilter") {
            None => AuthorizationScopeFilter::default(),
            Some(name) => match name.as_str().and_then(AuthorizationScopeFilter::named) {
                Some(filter) => filter,
                None => return wrong("The option 'authorizationScopeFilter' has an unknown value."),
            },
        };
        let table = match option("resultFormat").map(|format| format.as_str().unwrap_or_default()) {
            None => false,
            Some(format) if format.eq_ignore_ascii_case("objectArray") => false,
            Some(format) if format.eq_ignore_ascii_case("table") => true,
            Some(_) => return wrong("The option 'resultFormat' must be 'table' or 'objectArray'."),
        };
        let scopes = Scopes {
            subscriptions: names(body, "subscriptions")?,
            groups: names(body, "managementGroups")?,
            filter,
            allow_partial: option("allowPartialScopes").and_then(Json::as_bool).unwrap_or(false),
        };
        let bound = format!("{query}\0{:?}\0{:?}\0{filter:?}", scopes.subscriptions, scopes.groups);
        let fingerprint = crate::types::json::hex(&Sha256::digest(bound.as_bytes()));
        let asked = number("$top")?;
        if asked.is_some_and(|top| top == 0 || top > PAGE) {
            return wrong(format!("The option '$top' must lie between 1 and {PAGE}."));
        }
        let (mut top, mut skip) = (asked.unwrap_or(PAGE), number("$skip")?.unwrap_or(0));
        if let Some(token) = option("$skipToken")
            .and_then(Json::as_str)
            .filter(|token| !token.is_empty())
        {
            match Token::read(token) {
                Some(found) if found.of == fingerprint && asked.is_none_or(|top| top == found.top) => {
                    (top, skip) = (found.top, found.at);
                }
                _ => {
                    return wrong(
                        "The '$skipToken' is not valid, or belongs to another query, other scopes or another '$top'.",
                    );
                }
            }
        }
        let facets = body.get("facets").and_then(Json::as_array).cloned().unwrap_or_default();
        Ok(Request {
            query: query.to_owned(),
            scopes,
            top,
            skip,
            table,
            facets,
            fingerprint,
        })
    }

    /// The token of the page that begins at row `at`.
    pub fn token(&self, at: usize) -> String {
        use base64::Engine as _;
        let token = Token {
            at,
            top: self.top,
            of: self.fingerprint.clone(),
        };
        base64::engine::general_purpose::STANDARD.encode(serde_json::to_vec(&token).unwrap_or_default())
    }
}

/// The token of the very page that the body of a request asks for; none where it asks for none.
pub fn own_token(body: &Json) -> Option<String> {
    let request = Request::read(body).ok()?;
    Some(request.token(request.skip))
}

impl Token {
    fn read(text: &str) -> Option<Self> {
        use base64::Engine as _;
        serde_json::from_slice(&base64::engine::general_purpose::STANDARD.decode(text).ok()?).ok()
    }
}

fn wrong<T>(message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Request("InvalidRequest", message.into()))
}

/// A list of names; an empty one is as good as none.
fn names(body: &Json, key: &str) -> Result<Option<Vec<String>>, Fault> {
    let list = match body.get(key) {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::Array(list)) => list,
        Some(_) => return wrong(format!("'{key}' must be a list of names.")),
    };
    let names: Option<Vec<String>> = list.iter().map(|name| name.as_str().map(str::to_owned)).collect();
    match names {
        Some(names) => Ok(Some(names).filter(|names| !names.is_empty())),
        None => wrong(format!("'{key}' must be a list of names.")),
    }
}
