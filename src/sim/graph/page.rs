//! Lists: filtered, ordered, counted and cut into pages.

use std::cmp::Ordering;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::answer::{Call, Outcome, Reply};
use super::directory::Directory;
use super::expand;
use super::filter::Expr;
use super::query::{Expand, Start};
use super::refusal::Refusal;
use super::schema::Kind;
use super::view::View;

/// What a list is of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listing<'a> {
    /// What stands behind `$metadata#`.
    pub(super) context: &'a str,
    /// The rows' type; none where they are directory objects of several types.
    pub(super) kind: Option<Kind>,
    /// Whether the path casts, which makes any filter an advanced one.
    pub(super) cast: bool,
}

impl<'a> Listing<'a> {
    /// A list of one type.
    pub(super) fn of(kind: Kind, context: &'a str) -> Self {
        Self {
            context,
            kind: Some(kind),
            cast: false,
        }
    }

    fn is_objects(&self) -> bool {
        self.kind.is_none_or(Kind::is_object)
    }
}

/// Where a source of rows may begin, so that it need not walk through earlier pages: only if no row before is needed.
pub(super) fn after<'a>(call: &'a Call<'_>) -> Option<&'a str> {
    match &call.query.start {
        Some(Start::After(key)) if !call.query.count && call.query.order.is_empty() => Some(key),
        _ => None,
    }
}

/// Answers with a page of the rows, which come in the order of their keys.
pub(super) fn list<'a>(
    directory: &'a Directory,
    call: &Call<'_>,
    listing: Listing<'_>,
    rows: impl Iterator<Item = View<'a>>,
) -> Outcome {
    check(call, listing)?;
    let query = &call.query;
    let mut rows = rows.filter(|row| meets(call, row));
    let mut total = 0;
    let mut page: Vec<View<'a>> = Vec::new();
    let mut more = false;
    if query.order.is_empty() {
        let start = match &query.start {
            Some(Start::After(key)) => Some(key.as_str()),
            Some(Start::At(_)) => return Err(Refusal::page_token()),
            None => None,
        };
        for row in rows.by_ref() {
            total += 1;
            if start.is_some_and(|start| row.key.as_str() <= start) {
                continue;
            }
            if page.len() < query.page() {
                page.push(row);
            } else {
                more = true;
                if !query.count {
                    break;
                }
            }
        }
    } else {
        let place = match &query.start {
            Some(Start::At(place)) => *place,
            Some(Start::After(_)) => return Err(Refusal::page_token()),
            None => 0,
        };
        let mut all: Vec<View<'a>> = rows.collect();
        all.sort_by(|left, right| order(&query.order, left, right));
        total = all.len();
        more = total > place.saturating_add(query.page());
        page = all.into_iter().skip(place).take(query.page()).collect();
    }

    let mut body = Map::new();
    body.insert(
        "@odata.context".to_owned(),
        json!(call.context(&context(call, listing.context))),
    );
    if query.count && (query.eventual || !listing.is_objects()) {
        body.insert("@odata.count".to_owned(), json!(total));
    }
    if let Some(last) = page.last().filter(|_| more) {
        let next = match (&query.start, query.order.is_empty()) {
            (_, true) => Start::After(last.key.clone()),
            (Some(Start::At(place)), false) => Start::At(place + page.len()),
            (_, false) => Start::At(page.len()),
        };
        body.insert("@odata.nextLink".to_owned(), json!(next_link(call, &next)));
    }
    let value = page
        .iter()
        .map(|row| row_json(directory, call, row, listing.kind.is_none()))
        .collect::<Result<Vec<Value>, Refusal>>()?;
    body.insert("value".to_owned(), Value::Array(value));
    Ok(Reply::ok(Value::Object(body)))
}

/// Answers `/$count` with the number of rows.
pub(super) fn count<'a>(call: &Call<'_>, listing: Listing<'_>, rows: impl Iterator<Item = View<'a>>) -> Outcome {
    if listing.is_objects() && !call.query.eventual {
        return Err(Refusal::bad("$count is not currently supported."));
    }
    check_names(call, listing)?;
    Ok(Reply::number(rows.filter(|row| meets(call, row)).count()))
}

/// The JSON of one row or object, with its type where the list is mixed, and what is expanded.
pub(super) fn row_json(directory: &Directory, call: &Call<'_>, row: &View<'_>, typed: bool) -> Result<Value, Refusal> {
    let mut shown = Map::new();
    if typed {
        shown.insert(
            "@odata.type".to_owned(),
            json!(format!("#microsoft.graph.{}", row.kind.odata())),
        );
    }
    shown.extend(row.shape(call.query.select.as_deref(), call.beta()));
    for wanted in &call.query.expand {
        expand::apply(directory, call, row, wanted, &mut shown)?;
    }
    Ok(Value::Object(shown))
}

/// The context with what is selected and expanded.
pub(super) fn context(call: &Call<'_>, of: &str) -> String {
    let selected = call.query.select.iter().flatten().cloned();
    let expanded = call
        .query
        .expand
        .iter()
        .map(|Expand { property, select }| match select {
            Some(select) => format!("{property}({})", select.join(",")),
            None => format!("{property}()"),
        });
    let names: Vec<String> = selected.chain(expanded).collect();
    if names.is_empty() {
        of.to_owned()
    } else {
        format!("{of}({})", names.join(","))
    }
}

fn check(call: &Call<'_>, listing: Listing<'_>) -> Result<(), Refusal> {
    let query = &call.query;
    check_names(call, listing)?;
    if !listing.is_objects() {
        return Ok(());
    }
    if query.search.is_some() && !query.eventual {
        return Err(Refusal::unsupported_query(
            "Request with $search query parameter only works through MSGraph with a special request header: \
             'ConsistencyLevel: eventual'",
        ));
    }
    if query.advanced() {
        return Ok(());
    }
    if let Some(what) = query.filter.as_ref().and_then(Expr::advanced) {
        return Err(Refusal::advanced_query(what));
    }
    if query.filter.is_some() && !query.order.is_empty() {
        return Err(Refusal::unsupported_query("Sorting not supported for current query."));
    }
    if query.filter.is_some() && (listing.cast || listing.kind.is_none()) {
        return Err(Refusal::advanced_query(
            "The specified filter to the reference property query",
        ));
    }
    Ok(())
}

/// Refuses names that the type does not have, and functions that the directory does not serve.
pub(super) fn check_names(call: &Call<'_>, listing: Listing<'_>) -> Result<(), Refusal> {
    let query = &call.query;
    if listing.is_objects() && query.filter.as_ref().is_some_and(Expr::contains) {
        return Err(Refusal::unsupported_query(
            "The specified filter 'contains' is not supported.",
        ));
    }
    let Some(kind) = listing.kind.filter(|kind| !kind.open()) else {
        return Ok(());
    };
    let read = query.filter.iter().flat_map(Expr::properties);
    let ordered = query.order.iter().map(|(property, _)| property.as_str());
    for name in read.chain(ordered) {
        let below = name.split('/').next().unwrap_or(name);
        if kind.member(below).is_none() {
            return Err(Refusal::no_property(
                below,
                &format!("microsoft.graph.{}", kind.odata()),
            ));
        }
    }
    let mut selected = query.select.iter().flatten();
    match selected.find(|name| kind.member(name).is_none()) {
        Some(name) => Err(Refusal::no_property(name, &format!("microsoft.graph.{}", kind.odata()))),
        None => Ok(()),
    }
}

fn meets(call: &Call<'_>, row: &View<'_>) -> bool {
    call.query.filter.as_ref().is_none_or(|filter| filter.holds(row))
        && call.query.search.as_ref().is_none_or(|search| found(search, row))
}

/// `"displayName:shop" AND "mail:x"`: every clause must be found in its property, without case.
fn found(search: &str, row: &View<'_>) -> bool {
    search.split(" AND ").all(|clause| {
        let clause = clause.trim().trim_matches('"');
        let (property, wanted) = clause.split_once(':').unwrap_or(("displayName", clause));
        row.get(property)
            .as_str()
            .is_some_and(|text| text.to_lowercase().contains(&wanted.to_lowercase()))
    })
}

fn order(by: &[(String, bool)], left: &View<'_>, right: &View<'_>) -> Ordering {
    let text = |view: &View<'_>, property: &str| match view.get(property).as_ref() {
        Value::String(text) => text.to_lowercase(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    by.iter()
        .map(|(property, descending)| {
            let order = text(left, property).cmp(&text(right, property));
            if *descending { order.reverse() } else { order }
        })
        .find(|order| order.is_ne())
        .unwrap_or_else(|| left.key.cmp(&right.key))
}

const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b',');

fn next_link(call: &Call<'_>, next: &Start) -> String {
    let kept = call
        .ask
        .query
        .iter()
        .filter(|(name, _)| !name.trim_start_matches('$').eq_ignore_ascii_case("skiptoken"))
        .map(|(name, value)| {
            let name = utf8_percent_encode(name, VALUE).to_string().replace("%24", "$");
            format!("{name}={}", utf8_percent_encode(value, VALUE))
        });
    let token = format!("$skiptoken={}", next.token());
    let query: Vec<String> = kept.chain([token]).collect();
    format!("{}{}?{}", call.ask.base, call.ask.path, query.join("&"))
}
