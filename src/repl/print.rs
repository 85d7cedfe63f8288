//! How values and errors look at the prompt.

use std::fmt::Write as _;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ContentArrangement, Table};
use rhai::Dynamic;
use serde_json::Value;

use crate::error::Error;
use crate::ops::{kind, to_json};

/// More columns than these do not fit a terminal; the others are named below the table.
const COLUMNS: usize = 8;

/// A value as text, with its line end; nothing for `()`.
pub(super) fn value(value: &Dynamic) -> String {
    match to_json(value) {
        Ok(Value::Null) => String::new(),
        Ok(Value::Array(items)) if !items.is_empty() && items.iter().all(Value::is_object) => table(&items),
        Ok(plain @ (Value::Array(_) | Value::Object(_))) => {
            format!("{}\n", serde_json::to_string_pretty(&plain).unwrap_or_default())
        }
        Ok(plain) => format!("{plain}\n"),
        Err(_) => format!("({})\n", kind(value)),
    }
}

/// A value in one short line.
pub(super) fn short(value: &Dynamic) -> String {
    let text = to_json(value).map_or_else(|_| format!("({})", kind(value)), |value| value.to_string());
    cut(&text, 60)
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        text.to_owned()
    } else {
        text.chars().take(most - 1).collect::<String>() + "…"
    }
}

/// A list of maps as a table: a column for each key, in the order in which they appear.
fn table(items: &[Value]) -> String {
    let mut columns: Vec<&str> = Vec::new();
    for key in items
        .iter()
        .filter_map(Value::as_object)
        .flat_map(serde_json::Map::keys)
    {
        if !columns.contains(&key.as_str()) {
            columns.push(key);
        }
    }
    let left_out = columns.split_off(columns.len().min(COLUMNS));
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(&columns);
    for item in items {
        table.add_row(columns.iter().map(|column| match item.get(*column) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => cut(&other.to_string(), 80),
        }));
    }
    let mut text = format!("{table}\n");
    if !left_out.is_empty() {
        let _ = writeln!(text, "without {}", left_out.join(", "));
    }
    text
}

/// An error as plain text: what, where, on, untouched, next.
pub(super) fn plain(error: &Error) -> String {
    let mut text = error.to_string();
    if let Some(at) = &error.at {
        let _ = write!(text, "\n  at         {}:{}:{}", at.file, at.line, at.column);
        if let Some(line) = at
            .source
            .as_ref()
            .and_then(|source| source.lines().nth(at.line.saturating_sub(1)))
        {
            let _ = write!(text, "\n             {}", line.trim());
        }
    }
    for (name, value) in [("on", &error.on), ("untouched", &error.untouched)] {
        if let Some(value) = value {
            let _ = write!(text, "\n  {name:<9}  {value}");
        }
    }
    for next in &error.next {
        let _ = write!(text, "\n  next       {next}");
    }
    if let Some(azure) = &error.azure {
        let _ = write!(
            text,
            "\n  azure      {} {}: {}",
            azure.status, azure.code, azure.message
        );
    }
    text
}
