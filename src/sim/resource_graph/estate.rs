//! The tables of one request: the documents that lie in its scopes and that the caller may read.

use std::collections::HashMap;

use serde_json::Value as Json;

use super::catalog::{self, AUTHORIZATION, POLICY, RESOURCES, TABLES};
use super::failure::Fault;
use super::hierarchy::{Hierarchy, Reach};
use super::row::{Base, Row, segment};
use super::tables::{AuthorizationScopeFilter, Tables};
use super::text::lower;

/// The scopes of a request.
#[derive(Debug, Default)]
pub struct Scopes {
    /// Subscription ids, where they are named.
    pub subscriptions: Option<Vec<String>>,
    /// Names of management groups, where they are named.
    pub groups: Option<Vec<String>>,
    /// For the tables with rows above and below.
    pub filter: AuthorizationScopeFilter,
    /// Whether scopes without any right are passed over in silence.
    pub allow_partial: bool,
}

/// The tables, sorted once.
pub struct Estate<'d> {
    documents: HashMap<&'static str, Vec<&'d Json>>,
    tree: Hierarchy,
    tables: &'d dyn Tables,
}

impl<'d> Estate<'d> {
    /// Sorts the documents that a request may read.
    ///
    /// # Errors
    /// When the request names a subscription in which the caller may read nothing at all.
    pub fn new(tables: &'d dyn Tables, scopes: &Scopes) -> Result<Self, Fault> {
        let tenant = tables.tenant_id();
        let tree = Hierarchy::of(tables.documents(), tenant);
        let reach = Reach::new(
            &tree,
            scopes.subscriptions.as_deref(),
            scopes.groups.as_deref(),
            scopes.filter,
        );
        let mut unseen: Vec<String> = scopes.subscriptions.iter().flatten().map(|id| lower(id)).collect();
        let mut documents: HashMap<&'static str, Vec<&'d Json>> = HashMap::new();
        for document in tables.documents() {
            let Some(table) = catalog::table_of(document) else {
                continue;
            };
            let Some(id) = document.get("id").and_then(Json::as_str) else {
                continue;
            };
            let public = is_public(table, document);
            let within = match table {
                AUTHORIZATION if is_definition(document) => public || assignable(document, &reach),
                AUTHORIZATION | POLICY => reach.holds_at(catalog::scope_of(id)),
                _ => reach.holds(id),
            };
            if !within || !(public || tables.may_read(id)) {
                continue;
            }
            if !unseen.is_empty()
                && let Some(subscription) = segment(id, "subscriptions")
            {
                unseen.retain(|other| !other.eq_ignore_ascii_case(subscription));
            }
            documents.entry(table).or_default().push(document);
        }
        if !unseen.is_empty() && !scopes.allow_partial {
            return Err(Fault::AccessDenied);
        }
        Ok(Estate {
            documents,
            tree,
            tables,
        })
    }

    /// The rows of a table.
    ///
    /// # Errors
    /// When the service has no such table.
    pub fn rows(&self, table: &str) -> Result<Vec<Row<'d>>, Fault> {
        let key = lower(table);
        let Some(name) = TABLES.iter().find(|name| **name == key) else {
            return Err(Fault::UnknownTable(table.to_owned()));
        };
        let documents = self.documents.get(name).map_or(&[][..], Vec::as_slice);
        Ok(documents
            .iter()
            .map(|document| {
                let shown = if *name == RESOURCES {
                    None
                } else {
                    catalog::shown(name, document, &self.tree, self.tables)
                };
                Row {
                    base: Some(Base {
                        document,
                        tenant: self.tables.tenant_id(),
                        shown,
                    }),
                    own: Vec::new(),
                }
            })
            .collect())
    }
}

fn is_definition(document: &Json) -> bool {
    document
        .get("type")
        .and_then(Json::as_str)
        .is_some_and(|kind| lower(kind).ends_with("/roledefinitions"))
}

/// Built-in roles are there for everyone.
fn is_public(table: &str, document: &Json) -> bool {
    table == AUTHORIZATION
        && is_definition(document)
        && document.pointer("/properties/type").and_then(Json::as_str) == Some("BuiltInRole")
}

/// A custom role is seen where it can be assigned.
fn assignable(document: &Json, reach: &Reach) -> bool {
    let scopes = document
        .pointer("/properties/assignableScopes")
        .and_then(Json::as_array);
    scopes.is_none_or(|scopes| {
        scopes
            .iter()
            .filter_map(Json::as_str)
            .any(|scope| scope == "/" || reach.holds(scope) || reach.holds_at(scope))
    })
}
