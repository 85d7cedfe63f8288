//! The answer to a request: a page of rows in one of two forms, and what leads to the next page.

use serde_json::{Map, Value as Json, json};
use time::OffsetDateTime;

use super::code::Context;
use super::estate::Estate;
use super::facets::facets;
use super::failure::{Failure, Fault};
use super::operators::Engine;
use super::request::Request;
use super::row::{Column, Frame};
use super::syntax::parse;
use super::syntax::tree::{Operator, Pipeline};
use super::tables::Tables;

/// Answers `POST /providers/Microsoft.ResourceGraph/resources` (2021-03-01, 2022-10-01, 2024-04-01).
///
/// * `body`: the request's body: `query`, `subscriptions`, `managementGroups`, `options`, `facets`
/// * `tables`: what may be read
/// * `now`: the time of the query, for `now()`, `ago()` and the timestamp of errors
///
/// Gives the body of the 200 answer: `totalRecords`, `count`, `resultTruncated`, `$skipToken` where there is another
/// page, `facets`, `data`.
///
/// # Errors
/// 400 in the service's envelope when the query or an option is wrong; 403 when the caller may read nothing of a
/// subscription that the request names, unless it allows partial scopes.
pub fn answer(body: &Json, tables: &dyn Tables, now: OffsetDateTime) -> Result<Json, Failure> {
    page(body, tables, now).map_err(|fault| fault.into_failure(now))
}

fn page(body: &Json, tables: &dyn Tables, now: OffsetDateTime) -> Result<Json, Fault> {
    let request = Request::read(body)?;
    let query = parse(&request.query)?;
    let estate = Estate::new(tables, &request.scopes)?;
    let mut engine = Engine::new(&estate, Context::new(now));
    let frame = engine.run(&query)?;
    let total = frame.rows.len();
    let shown: Vec<_> = frame.rows.iter().skip(request.skip).take(request.top).collect();
    let count = shown.len();
    let columns: Vec<Column> = frame.visible().cloned().collect();
    let data = if request.table {
        let rows: Vec<Vec<Json>> = shown
            .iter()
            .map(|row| columns.iter().map(|column| row.read(column.place).to_json()).collect())
            .collect();
        let heads: Vec<Json> = columns
            .iter()
            .map(|column| json!({"name": column.name, "type": column.kind.column_type()}))
            .collect();
        json!({"columns": heads, "rows": rows})
    } else {
        shown
            .iter()
            .map(|row| {
                columns
                    .iter()
                    .map(|column| (column.name.clone(), row.read(column.place).to_json()))
                    .collect::<Map<_, _>>()
            })
            .map(Json::Object)
            .collect()
    };
    let more = request.skip.saturating_add(count) < total;
    let paged = more && frame.column("id").is_some() && !is_limited(&query.pipeline);
    let mut found = Map::new();
    found.insert("totalRecords".to_owned(), json!(total));
    found.insert("count".to_owned(), json!(count));
    found.insert(
        "resultTruncated".to_owned(),
        json!(if more && !paged { "true" } else { "false" }),
    );
    if paged {
        found.insert("$skipToken".to_owned(), json!(request.token(request.skip + count)));
    }
    found.insert(
        "facets".to_owned(),
        Json::Array(facets_of(&engine, &frame, &request.facets)),
    );
    found.insert("data".to_owned(), data);
    Ok(Json::Object(found))
}

fn facets_of<'d>(engine: &Engine<'_, 'd>, frame: &Frame<'d>, requests: &[Json]) -> Vec<Json> {
    requests.iter().map(|request| facets(engine, frame, request)).collect()
}

/// Whether the query itself says how many rows there are: then there are no pages.
fn is_limited(pipeline: &Pipeline) -> bool {
    pipeline
        .operators
        .iter()
        .any(|operator| matches!(operator, Operator::Take(_) | Operator::Sample(_)))
}
