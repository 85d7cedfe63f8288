//! What a request costs in resource units (`x-ms-resource-unit`): the published table of identity and access.

use http::Method;

use super::path::{Path, Segment};
use super::query::Query;

/// The cost of a GET or of an action by what the path ends in; a `*` is any segment. The first row that fits counts.
const TABLE: &[(&[&str], u32)] = &[
    (&["applications"], 2),
    (&["applications", "*"], 2),
    (&["users"], 2),
    (&["users", "*"], 2),
    (&["groups", "*", "members"], 3),
    (&["groups", "*", "transitivemembers"], 5),
    (&["directoryobjects", "getbyids"], 3),
    (&["*", "*", "memberof"], 2),
    (&["*", "*", "transitivememberof"], 2),
    (&["*", "*", "ownedobjects"], 2),
    (&["*", "*", "getmembergroups"], 2),
    (&["*", "*", "getmemberobjects"], 2),
    (&["*", "*", "checkmembergroups"], 4),
    (&["*", "*", "checkmemberobjects"], 4),
    (&["serviceprincipals", "*", "approleassignments"], 2),
];

/// The units that a request costs: `$select` takes one off, `$expand` adds one, a page under twenty rows takes one off;
/// never below one. A write costs one.
pub(super) fn of(method: &Method, path: &Path, query: &Query) -> u32 {
    let mut names: Vec<String> = path
        .segments
        .iter()
        .map(|segment| match segment {
            Segment::Name(name) => name.to_lowercase(),
            Segment::Alternate { .. } => "*".to_owned(),
        })
        .filter(|name| !name.starts_with('$') && !name.starts_with("microsoft.graph."))
        .collect();
    if names.first().is_some_and(|first| first == "me") {
        names.splice(0..1, ["users".to_owned(), "*".to_owned()]);
    }
    let fits =
        |row: &[&str]| row.len() == names.len() && row.iter().zip(&names).all(|(row, name)| *row == "*" || row == name);
    let listed = TABLE.iter().find(|(row, _)| fits(row)).map(|(_, units)| *units);
    let read = *method == Method::GET;
    // The actions that only read are POSTs; they alone keep their row's cost.
    let action = *method == Method::POST
        && names
            .last()
            .is_some_and(|last| last.starts_with("get") || last.starts_with("check"));
    if !read && !action {
        return 1;
    }
    let mut units = i64::from(listed.unwrap_or(1));
    units -= i64::from(query.select.is_some());
    units += i64::from(!query.expand.is_empty());
    units -= i64::from(query.top.is_some_and(|top| top < 20));
    u32::try_from(units.max(1)).unwrap_or(1)
}
