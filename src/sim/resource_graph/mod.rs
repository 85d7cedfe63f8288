//! Azure Resource Graph: its tables over the documents of an estate, its query language, the body of its answer.
//!
//! The HTTP around it, its quota headers and how late it sees writes belong to the server; who may read what is
//! asked of [`Tables`]. [`answer`] is the whole of it.
//!
//! | part | what is served |
//! |---|---|
//! | tables | `resources` (top-level resources, children with a location of their own), `resourcecontainers`, `authorizationresources`, `policyresources`, a few types in `appserviceresources`, `computeresources` and their like; the other known tables are empty; unknown ones are refused |
//! | columns | `id name type tenantId kind location resourceGroup subscriptionId managedBy sku plan properties tags identity zones extendedLocation`, and `apiVersion` by name; `type`, `location`, `resourceGroup` in lower case |
//! | operators | `where project project-away project-keep project-rename extend summarize order sort top take limit sample distinct count join union mv-expand mv-apply parse parse-where`, and `let` with values or rows |
//! | aggregates | `count dcount sum avg min max any take_any make_list make_set` with their `if` forms, `make_bag arg_max arg_min`, and expressions over them |
//! | joins | `innerunique` (default) `inner leftouter rightouter fullouter leftsemi leftanti rightsemi rightanti` |
//! | comparisons | `== != =~ !~ < <= > >= in in~ between has hasprefix hassuffix contains startswith endswith` with `!` and `_cs`, `has_any has_all matches regex` |
//! | functions | see `functions/`, one table a topic |
//! | limits | 1000 rows a page, 3 joins, 3 `mv-expand`s or `mv-apply`s of 128 rows each (`limit` up to 2000) |
//! | refused | every other operator, as `InvalidQueryLanguage`; unknown functions, columns, and mixed types |
//!
//! Values: a missing member is null and equals the empty text; `==` counts case and `=~` does not; `has` wants whole
//! terms; a dynamic value is compared as what the other side is, two of them need a cast; groups, orders and join keys
//! must not be dynamic.

mod answer;
mod catalog;
mod code;
mod compare;
mod compile;
mod estate;
mod facets;
mod failure;
mod functions;
mod hierarchy;
mod moment;
mod operators;
mod request;
mod row;
mod syntax;
mod tables;
mod text;
mod value;

#[cfg(test)]
mod tests;

pub use answer::answer;
pub use failure::Failure;
pub use request::own_token;
pub use tables::{AuthorizationScopeFilter, Tables};
