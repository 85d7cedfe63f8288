//! Rows, and where their columns stand: in the document, or in values that the query made.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value as Json;

use super::text::lower;
use super::value::{Kind, Text, Value};

/// What every table has as columns, read from the document when a query asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The id as stored.
    Id,
    /// The last segment, of a subscription its display name.
    Name,
    /// The type in lower case.
    Type,
    /// The tenant.
    TenantId,
    /// A text member, empty where missing.
    Text(&'static str),
    /// The region in its short form.
    Location,
    /// The group's name in lower case.
    ResourceGroup,
    /// The subscription's id.
    SubscriptionId,
    /// The property bag, as the service changes it.
    Properties,
    /// Another dynamic member.
    Bag(&'static str),
}

/// The columns of a table with their types; the last is only there for those who ask.
pub const FIELDS: [(&str, Kind, Field); 17] = [
    ("id", Kind::Str, Field::Id),
    ("name", Kind::Str, Field::Name),
    ("type", Kind::Str, Field::Type),
    ("tenantId", Kind::Str, Field::TenantId),
    ("kind", Kind::Str, Field::Text("kind")),
    ("location", Kind::Str, Field::Location),
    ("resourceGroup", Kind::Str, Field::ResourceGroup),
    ("subscriptionId", Kind::Str, Field::SubscriptionId),
    ("managedBy", Kind::Str, Field::Text("managedBy")),
    ("sku", Kind::Dynamic, Field::Bag("sku")),
    ("plan", Kind::Dynamic, Field::Bag("plan")),
    ("properties", Kind::Dynamic, Field::Properties),
    ("tags", Kind::Dynamic, Field::Bag("tags")),
    ("identity", Kind::Dynamic, Field::Bag("identity")),
    ("zones", Kind::Dynamic, Field::Bag("zones")),
    ("extendedLocation", Kind::Dynamic, Field::Bag("extendedLocation")),
    ("apiVersion", Kind::Str, Field::Text("apiVersion")),
];

/// A document as a row of a table.
#[derive(Debug, Clone)]
pub struct Base<'d> {
    /// The ARM document as stored.
    pub document: &'d Json,
    /// The tenant's id.
    pub tenant: &'d str,
    /// What the service shows in place of stored members, where it does.
    pub shown: Option<Rc<Shown>>,
}

/// Members of a row that differ from the document.
#[derive(Debug, Default)]
pub struct Shown {
    /// The id.
    pub id: Option<Arc<str>>,
    /// The name.
    pub name: Option<Arc<str>>,
    /// The type.
    pub kind: Option<Arc<str>>,
    /// The property bag.
    pub properties: Option<Arc<Json>>,
}

impl<'d> Base<'d> {
    /// The value of a column.
    pub fn read(&self, field: Field) -> Value<'d> {
        let shown = self.shown.as_deref();
        let own = |text: Option<&Arc<str>>| text.map(|text| Value::Str(Text::Own(text.clone())));
        match field {
            Field::Id => own(shown.and_then(|s| s.id.as_ref())).unwrap_or_else(|| self.text("id")),
            Field::Name => own(shown.and_then(|s| s.name.as_ref())).unwrap_or_else(|| {
                let name = self.document.get("name").and_then(Json::as_str);
                Value::borrowed(name.unwrap_or_else(|| self.id().rsplit('/').next().unwrap_or_default()))
            }),
            Field::Type => own(shown.and_then(|s| s.kind.as_ref())).unwrap_or_else(|| {
                let text = self.document.get("type").and_then(Json::as_str).unwrap_or_default();
                folded(text.trim_start_matches('/'))
            }),
            Field::TenantId => Value::borrowed(self.tenant),
            Field::Text(key) => self.text(key),
            Field::Location => {
                let text = self.document.get("location").and_then(Json::as_str).unwrap_or_default();
                if text.contains(' ') {
                    Value::text(lower(&text.replace(' ', "")))
                } else {
                    folded(text)
                }
            }
            Field::ResourceGroup => folded(segment(self.id(), "resourcegroups").unwrap_or_default()),
            Field::SubscriptionId => Value::borrowed(segment(self.id(), "subscriptions").unwrap_or_default()),
            Field::Properties => match shown.and_then(|s| s.properties.as_ref()) {
                Some(json) => Value::Dynamic(super::value::Dyn::Own(json.clone())),
                None => self.document.get("properties").map_or(Value::Null, Value::json),
            },
            Field::Bag(key) => self.document.get(key).map_or(Value::Null, Value::json),
        }
    }

    /// The id as stored.
    pub fn id(&self) -> &'d str {
        self.document.get("id").and_then(Json::as_str).unwrap_or_default()
    }

    fn text(&self, key: &str) -> Value<'d> {
        Value::borrowed(self.document.get(key).and_then(Json::as_str).unwrap_or_default())
    }
}

fn folded(text: &str) -> Value<'_> {
    if text.bytes().any(|b| b.is_ascii_uppercase() || !b.is_ascii()) {
        Value::text(lower(text))
    } else {
        Value::borrowed(text)
    }
}

/// The name behind `/subscriptions/` at the beginning of an id, or behind its `/resourceGroups/`.
pub fn segment<'i>(id: &'i str, of: &str) -> Option<&'i str> {
    let mut segments = id.strip_prefix('/').unwrap_or(id).split('/');
    while let (Some(kind), Some(name)) = (segments.next(), segments.next()) {
        if kind.eq_ignore_ascii_case(of) {
            return Some(name);
        }
        if kind.eq_ignore_ascii_case("providers") {
            return None;
        }
    }
    None
}

/// Where a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the document.
    Field(Field),
    /// Among the row's own values.
    Own(usize),
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name; case counts.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// Where it stands.
    pub place: Place,
    /// Left out where all columns are meant.
    pub hidden: bool,
}

/// A row: a document, values, or both.
#[derive(Debug, Clone)]
pub struct Row<'d> {
    /// The document, while columns are read from it.
    pub base: Option<Base<'d>>,
    /// Values that the query made.
    pub own: Vec<Value<'d>>,
}

impl<'d> Row<'d> {
    /// The value at a place.
    pub fn read(&self, place: Place) -> Value<'d> {
        match place {
            Place::Own(at) => self.own.get(at).cloned().unwrap_or(Value::Null),
            Place::Field(field) => self.base.as_ref().map_or(Value::Null, |base| base.read(field)),
        }
    }
}

/// Rows and their columns.
#[derive(Debug, Clone)]
pub struct Frame<'d> {
    /// The columns in the order of the answer.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Row<'d>>,
}

impl<'d> Frame<'d> {
    /// A table of documents.
    pub fn table(rows: Vec<Row<'d>>) -> Self {
        let columns = FIELDS
            .iter()
            .map(|&(name, kind, field)| Column {
                name: name.to_owned(),
                kind,
                place: Place::Field(field),
                hidden: name == "apiVersion",
            })
            .collect();
        Frame { columns, rows }
    }

    /// A frame of values alone.
    pub fn of_values(columns: Vec<(String, Kind)>, rows: Vec<Vec<Value<'d>>>) -> Self {
        let columns = columns
            .into_iter()
            .enumerate()
            .map(|(at, (name, kind))| Column {
                name,
                kind,
                place: Place::Own(at),
                hidden: false,
            })
            .collect();
        Frame {
            columns,
            rows: rows.into_iter().map(|own| Row { base: None, own }).collect(),
        }
    }

    /// The columns that are meant by `*`.
    pub fn visible(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !column.hidden)
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The values of the visible columns of each row, with their names and types.
    pub fn into_values(self) -> (Vec<(String, Kind)>, Vec<Vec<Value<'d>>>) {
        let visible: Vec<Column> = self.visible().cloned().collect();
        let rows = self
            .rows
            .iter()
            .map(|row| visible.iter().map(|column| row.read(column.place)).collect())
            .collect();
        (
            visible.into_iter().map(|column| (column.name, column.kind)).collect(),
            rows,
        )
    }
}

/// Names that are each used once: a second `a` becomes `a1`.
#[derive(Debug, Default)]
pub struct Names(HashMap<String, usize>);

impl Names {
    /// The name, or with the first number that makes it new.
    pub fn fresh(&mut self, name: &str) -> String {
        if self.0.insert(name.to_owned(), 0).is_none() {
            return name.to_owned();
        }
        let mut number = 1;
        while self.0.contains_key(&format!("{name}{number}")) {
            number += 1;
        }
        let made = format!("{name}{number}");
        self.0.insert(made.clone(), 0);
        made
    }
}
