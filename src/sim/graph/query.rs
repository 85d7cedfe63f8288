//! The system query options of a request: `$filter`, `$select`, `$expand`, `$top`, `$skiptoken`, `$orderby`, `$count`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::filter::{self, Expr};
use super::refusal::Refusal;
use crate::sim::front::Ask;

/// The most rows that a page may have.
const MOST: usize = 999;
/// The rows of a page where the request does not say.
const USUAL: usize = 100;

/// One property to expand, with what to select of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expand {
    pub(super) property: String,
    pub(super) select: Option<Vec<String>>,
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Start {
    /// After the row with this key.
    After(String),
    /// At this place of a list that has an order of its own.
    At(usize),
}

impl Start {
    /// The text of `$skiptoken`.
    pub(super) fn token(&self) -> String {
        let text = match self {
            Self::After(key) => format!("k{key}"),
            Self::At(place) => format!("p{place}"),
        };
        URL_SAFE_NO_PAD.encode(text)
    }

    fn parse(token: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
        match text.split_at_checked(1)? {
            ("k", key) => Some(Self::After(key.to_owned())),
            ("p", place) => place.parse().ok().map(Self::At),
            _ => None,
        }
    }
}

/// What a request asks of its answer.
#[derive(Debug, Default)]
pub(super) struct Query {
    pub(super) filter: Option<Expr>,
    pub(super) select: Option<Vec<String>>,
    pub(super) expand: Vec<Expand>,
    pub(super) top: Option<usize>,
    pub(super) start: Option<Start>,
    pub(super) order: Vec<(String, bool)>,
    pub(super) search: Option<String>,
    pub(super) count: bool,
    /// The header `ConsistencyLevel: eventual`.
    pub(super) eventual: bool,
}

impl Query {
    /// Reads the options; their names may come with or without `$`, as Graph allows.
    pub(super) fn parse(ask: &Ask) -> Result<Self, Refusal> {
        let mut query = Self {
            eventual: ask
                .header("ConsistencyLevel")
                .is_some_and(|level| level.eq_ignore_ascii_case("eventual")),
            ..Self::default()
        };
        for (name, value) in &ask.query {
            let lower = name.to_lowercase();
            match lower.strip_prefix('$').unwrap_or(&lower) {
                "filter" => query.filter = Some(filter::parse(value)?),
                "select" => query.select = Some(names(value)),
                "expand" => query.expand = expands(value)?,
                "top" => query.top = Some(top(value)?),
                "skiptoken" => query.start = Some(Start::parse(value).ok_or_else(Refusal::page_token)?),
                "orderby" => query.order = order(value)?,
                "search" => query.search = Some(value.clone()),
                "count" => query.count = value.eq_ignore_ascii_case("true"),
                "format" => {}
                "skip" => return Err(Refusal::bad("'$skip' is not supported by the service.")),
                _ if lower.starts_with('$') => {
                    return Err(Refusal::gateway(format!(
                        "The query parameter '{name}' is not supported."
                    )));
                }
                _ => {}
            }
        }
        Ok(query)
    }

    /// How many rows a page has at most.
    pub(super) fn page(&self) -> usize {
        self.top.unwrap_or(USUAL)
    }

    /// Whether the request says what advanced queries need.
    pub(super) fn advanced(&self) -> bool {
        self.eventual && self.count
    }
}

fn names(list: &str) -> Vec<String> {
    list.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty() && *name != "*")
        .map(str::to_owned)
        .collect()
}

fn top(value: &str) -> Result<usize, Refusal> {
    let invalid = || {
        Refusal::bad(format!(
            "Invalid page size specified: '{value}'. Must be between 1 and {MOST} inclusive."
        ))
    };
    let top: usize = value.trim().parse().map_err(|_| invalid())?;
    if (1..=MOST).contains(&top) {
        Ok(top)
    } else {
        Err(invalid())
    }
}

fn order(value: &str) -> Result<Vec<(String, bool)>, Refusal> {
    names(value)
        .into_iter()
        .map(|term| {
            let mut words = term.split_whitespace();
            let property = words.next().unwrap_or_default().to_owned();
            match (words.next().map(str::to_lowercase).as_deref(), words.next()) {
                (None | Some("asc"), None) => Ok((property, false)),
                (Some("desc"), None) => Ok((property, true)),
                _ => Err(Refusal::gateway(format!("Syntax error in '$orderby': '{term}'."))),
            }
        })
        .collect()
}

/// `members($select=id,displayName),owners`: the commas inside parentheses do not part.
fn expands(value: &str) -> Result<Vec<Expand>, Refusal> {
    let mut parts = vec![String::new()];
    let mut depth = 0_i32;
    for letter in value.chars() {
        depth += match letter {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        if letter == ',' && depth == 0 {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(letter);
        }
    }
    let syntax = || Refusal::gateway(format!("Parsing OData Select and Expand failed: '{value}'."));
    if depth != 0 {
        return Err(syntax());
    }
    parts
        .iter()
        .map(|part| part.trim())
        .filter(|part| !part.is_empty())
        .map(|part| {
            let Some((property, options)) = part.split_once('(') else {
                return Ok(Expand {
                    property: part.to_owned(),
                    select: None,
                });
            };
            let options = options.strip_suffix(')').ok_or_else(syntax)?;
            let select = options.split(';').find_map(|option| {
                let (name, value) = option.trim().split_once('=')?;
                name.eq_ignore_ascii_case("$select").then(|| names(value))
            });
            Ok(Expand {
                property: property.trim().to_owned(),
                select,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expansion_may_select() {
        let found = expands("members($select=id,displayName),owners").unwrap();
        assert_eq!(found[0].property, "members");
        assert_eq!(
            found[0].select.as_deref().unwrap(),
            ["id".to_owned(), "displayName".to_owned()]
        );
        assert_eq!(found[1].property, "owners");
        assert!(expands("members(").is_err());
    }

    #[test]
    fn a_page_token_comes_back_as_it_was() {
        for start in [Start::After("a#b".to_owned()), Start::At(7)] {
            assert_eq!(Start::parse(&start.token()), Some(start));
        }
        assert_eq!(Start::parse("no token"), None);
    }
}
