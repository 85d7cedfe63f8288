//! Values on their way to the server: as text, which the server reads as whatever type the statement wants.

use std::error::Error;

use bytes::{BufMut as _, BytesMut};
use serde_json::Value;
use tokio_postgres::types::{Format, IsNull, Kind, ToSql, Type, to_sql_checked};

/// A JSON value as a parameter.
#[derive(Debug)]
pub(super) struct Param(pub(super) Value);

impl ToSql for Param {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let text = match (&self.0, ty.kind()) {
            (Value::Null, _) => return Ok(IsNull::Yes),
            (Value::Array(items), Kind::Array(_)) => array(items),
            // What is JSON to the server is JSON here.
            (value, _) if *ty == Type::JSON || *ty == Type::JSONB => value.to_string(),
            (Value::String(text), _) => text.clone(),
            (value, _) => value.to_string(),
        };
        out.put_slice(text.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

/// An array in the server's own notation.
fn array(items: &[Value]) -> String {
    let items: Vec<String> = items
        .iter()
        .map(|item| match item {
            Value::Null => "NULL".to_owned(),
            Value::Array(inner) => array(inner),
            Value::String(text) => quoted(text),
            other => quoted(&other.to_string()),
        })
        .collect();
    format!("{{{}}}", items.join(","))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_is_written_as_the_server_reads_its_type() {
        let written = |value: Value, ty: &Type| {
            let mut out = BytesMut::new();
            Param(value).to_sql(ty, &mut out).unwrap();
            String::from_utf8(out.to_vec()).unwrap()
        };
        assert_eq!(written(json!(7), &Type::INT8), "7");
        assert_eq!(written(json!("a\"b"), &Type::TEXT), "a\"b");
        assert_eq!(written(json!("a"), &Type::JSONB), "\"a\"");
        assert_eq!(
            written(json!(["a\"\\,", null]), &Type::TEXT_ARRAY),
            r#"{"a\"\\,",NULL}"#
        );
        assert_eq!(written(json!({"a": [1]}), &Type::JSONB), r#"{"a":[1]}"#);
    }
}
