//! Defects that the matrix has shown, each by itself.

use ferry::run::record::{Change, Ledger, Standing};
use serde_json::{Value, json};

use super::lab::Lab;

fn change<'a>(ledger: &'a Ledger, method: &str, path: &str) -> &'a Change {
    let mut found = ledger.changes.iter().filter(|change| {
        let write = change.intended.action.write();
        write.method == method && write.path.contains(path)
    });
    let change = found.next().unwrap();
    assert!(found.next().is_none(), "{method} {path} stands twice in the journal");
    change
}

/// How often a request was sent.
fn sent(log: &str, method: &str, path: &str) -> usize {
    let rows = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.filter(|row| row["method"] == method && row["path"].as_str().unwrap().contains(path))
        .count()
}

#[test]
fn a_grant_behind_an_unreadable_success_is_known_to_be_made_and_is_sent_once() {
    for spoilt in ["html", "truncated", "malformed"] {
        let lab = Lab::new();
        let cell =
            lab.cell(&json!([{"match": {"method": "PUT", "path": "accessPolicies/add"}, "do": {"answer": spoilt}}]));
        cell.attempt(false).unwrap();
        let ledger = cell.ledger();
        let grant = change(&ledger, "PUT", "/accessPolicies/add");
        assert_eq!((grant.standing, grant.already), (Standing::Done, false));
        assert_eq!(sent(&cell.log(), "PUT", "/accessPolicies/add"), 1);
    }
}

#[test]
fn an_assignment_that_exists_already_by_our_own_first_try_is_ours_and_rollback_would_take_it_back() {
    let lab = Lab::new();
    let fits = json!({"method": "PUT", "path": "rg-kinds/providers/Microsoft.Authorization/roleAssignments/"});
    let cell = lab.cell(&json!([
        {"match": fits, "times": 1, "do": {"reset": "after"}},
        {"match": fits, "times": 1, "do": {"status": 409, "code": "RoleAssignmentExists", "message": "It exists."}},
    ]));
    cell.attempt(false).unwrap();
    let ledger = cell.ledger();
    let made = change(
        &ledger,
        "PUT",
        "rg-kinds/providers/Microsoft.Authorization/roleAssignments/",
    );
    assert_eq!((made.standing, made.already), (Standing::Done, false));
    assert!(made.outcome["id"].is_string());
}

#[test]
fn nothing_is_moved_by_half_a_map_and_resume_looks_again() {
    let lab = Lab::new();
    let cell = lab.cell(&json!([{"match": {"path": "memberOf"}, "do": {"status": 503}}]));
    let error = cell.attempt(false).unwrap_err();
    assert_eq!(error.exit_code(), 1, "{error}");
    assert!(
        cell.ledger()
            .unseen
            .iter()
            .any(|unseen| unseen.scope == "permissions/group_membership")
    );
    assert_eq!(sent(&cell.log(), "PUT", ""), 0);
    cell.server.clear_faults();
    cell.attempt(true).unwrap();
    assert!(cell.ledger().unseen.is_empty());
}

#[test]
fn a_post_that_was_lost_is_looked_up_and_sent_once_more() {
    let lab = Lab::new();
    let cell = lab.cell(
        &json!([{"match": {"method": "POST", "path": "/appRoleAssignments"}, "times": 1, "do": {"reset": "before"}}]),
    );
    cell.attempt(false).unwrap();
    assert_eq!(
        change(&cell.ledger(), "POST", "/appRoleAssignments").standing,
        Standing::Done
    );
    let cell = lab.cell(
        &json!([{"match": {"method": "POST", "path": "/appRoleAssignments"}, "times": 1, "do": {"reset": "after"}}]),
    );
    cell.attempt(false).unwrap();
    assert_eq!(sent(&cell.log(), "POST", "/appRoleAssignments"), 1);
}

#[test]
fn a_change_whose_operation_does_not_end_stays_open_until_its_end_is_known() {
    let lab = Lab::new();
    let cell = lab.cell(&json!([{"match": {"method": "PATCH", "path": "vm-kinds"}, "do": {"endless": true}}]));
    let error = cell.attempt(false).unwrap_err();
    assert_eq!(error.code, "unfinished", "{error}");
    assert_eq!(change(&cell.ledger(), "PATCH", "vm-kinds").standing, Standing::Intended);
    cell.server.clear_faults();
    cell.attempt(true).unwrap();
    assert_eq!(change(&cell.ledger(), "PATCH", "vm-kinds").standing, Standing::Done);
    assert_eq!(sent(&cell.log(), "PATCH", "vm-kinds"), 1);
}
