//! Facets: how often each value of an expression stands in a result.

use serde_json::{Value as Json, json};

use super::failure::Fault;
use super::operators::Engine;
use super::row::Frame;
use super::syntax::parse;

/// Groups that a facet shows unless it says otherwise.
const USUAL_TOP: u64 = 10;

/// The facet that `request` asks for: `expression`, and `options` with `sortBy`, `sortOrder`, `filter`, `$top`.
pub fn facets<'d>(engine: &Engine<'_, 'd>, frame: &Frame<'d>, request: &Json) -> Json {
    let expression = request.get("expression").and_then(Json::as_str).unwrap_or_default();
    match counted(engine, frame, expression, request.get("options").unwrap_or(&Json::Null)) {
        Ok((total, data)) => json!({
            "expression": expression,
            "resultType": "FacetResult",
            "totalRecords": total,
            "count": data.len(),
            "data": data,
        }),
        Err(_) => json!({
            "expression": expression,
            "resultType": "FacetError",
            "errors": [
                {"code": "NoValidColumns", "message": "No valid columns in facet expression."},
                {"code": "InvalidColumnNames", "message": format!("Invalid column names: [{expression}].")},
            ],
        }),
    }
}

fn counted<'d>(
    engine: &Engine<'_, 'd>,
    frame: &Frame<'d>,
    expression: &str,
    options: &Json,
) -> Result<(usize, Vec<Json>), Fault> {
    let text = |key: &str| options.get(key).and_then(Json::as_str);
    let top = options.get("$top").and_then(Json::as_u64).unwrap_or(USUAL_TOP);
    let name = expression.replace(['.', '[', ']', '\'', '"'], "_");
    // A path that was projected before goes by its column now.
    let column = frame
        .column(expression)
        .or_else(|| frame.column(&name))
        .map_or(expression, |column| &column.name);
    let filter = text("filter")
        .map(|filter| format!("| where {filter} "))
        .unwrap_or_default();
    let order = text("sortOrder")
        .filter(|order| order.eq_ignore_ascii_case("asc"))
        .map_or("desc", |_| "asc");
    let by = text("sortBy").unwrap_or("['count']");
    let groups = format!(
        "resources {filter}| summarize ['count']=count() by ['{name}']=tostring({column}) | order by {by} {order}"
    );
    let found = engine.apply(&parse(&groups)?, frame.clone())?;
    let (columns, rows) = found.into_values();
    let total = rows.len();
    let data = rows
        .into_iter()
        .take(usize::try_from(top).unwrap_or(usize::MAX))
        .map(|values| {
            columns
                .iter()
                .zip(values)
                .map(|((name, _), value)| (name.clone(), value.to_json()))
                .collect()
        })
        .collect();
    Ok((total, data))
}
