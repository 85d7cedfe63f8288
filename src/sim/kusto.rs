//! Commands of Data Explorer that give a principal a role and take it: `.add` and `.drop`. The estate keeps what `.show … principals` answers,
//! and these change its rows.

use serde_json::{Value, json};

/// Obeys a command that is posted to a cluster.
///
/// * `document`: what the cluster shows of its principals
/// * `body`: of the request, with `csl`
/// * `known`: the object id and the name of whom a client id or an object id is
/// * returns: whether it was such a command
pub fn obey(document: &mut Value, body: &Value, known: impl Fn(&str) -> (String, String)) -> bool {
    let command = body.get("csl").and_then(Value::as_str).unwrap_or_default().trim();
    let (gives, rest) = match (command.strip_prefix(".add "), command.strip_prefix(".drop ")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return false,
    };
    let Some((words, principals)) = rest.split_once('(') else {
        return false;
    };
    let Some(role) = role_of(words) else { return false };
    let quoted: Vec<&str> = principals.split('\'').skip(1).step_by(2).collect();
    for principal in quoted {
        let id = principal.split(['=', ';']).nth(1).unwrap_or_default();
        change(document, &role, principal, &known(id), gives);
    }
    true
}

/// The role as the cluster shows it: `Database orders Viewer`, or one of the cluster's own.
fn role_of(words: &str) -> Option<String> {
    let (kind, rest) = words.trim().split_once(' ')?;
    if kind == "cluster" {
        return Some(rest.trim().to_owned());
    }
    let (name, role) = match rest.trim().strip_prefix("['") {
        Some(rest) => rest.split_once("']")?,
        None => rest.trim().split_once(' ')?,
    };
    let shown = match role.trim().trim_end_matches('s') {
        "unrestrictedviewer" => "UnrestrictedViewer".to_owned(),
        plain => capital(plain),
    };
    Some(format!("{} {name} {shown}", capital(kind)))
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// Adds the row of a principal's role, or takes it out.
fn change(document: &mut Value, role: &str, principal: &str, (object, shown): &(String, String), gives: bool) {
    let Some(table) = document.pointer_mut("/Tables/0") else {
        return;
    };
    let named = |column: &Value| column["ColumnName"].as_str().unwrap_or_default().to_owned();
    let columns: Vec<String> = table["Columns"].as_array().into_iter().flatten().map(named).collect();
    let cell = |name: &str| match name {
        "Role" => role,
        "PrincipalFQN" => principal,
        "PrincipalType" => "AAD Application",
        "PrincipalObjectId" => object,
        "PrincipalDisplayName" => shown,
        _ => "",
    };
    let is = |row: &Value| {
        columns.iter().enumerate().all(|(at, name)| {
            let there = row[at].as_str().unwrap_or_default();
            !matches!(name.as_str(), "Role" | "PrincipalFQN") || there.eq_ignore_ascii_case(cell(name))
        })
    };
    if let Some(rows) = table["Rows"].as_array_mut() {
        rows.retain(|row| gives || !is(row));
        if gives && !rows.iter().any(is) {
            rows.push(columns.iter().map(|name| json!(cell(name))).collect());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_gives_is_shown_once_until_another_takes_it() {
        let mut shown = json!({"Tables": [{
            "Columns": [{"ColumnName": "Role"}, {"ColumnName": "PrincipalObjectId"}, {"ColumnName": "PrincipalFQN"}],
            "Rows": [["Table Orders Admin", "id", "aadapp=old;tenant"]]}]});
        let before = shown.clone();
        let add = json!({"db": "shop", "csl": ".add table ['Orders'] admins ('aadapp=new;tenant')"});
        let known = |id: &str| (format!("object of {id}"), String::new());
        assert!(obey(&mut shown, &add, known) && obey(&mut shown, &add, known));
        let rows = &shown["Tables"][0]["Rows"];
        assert_eq!(
            rows[1],
            json!(["Table Orders Admin", "object of new", "aadapp=new;tenant"])
        );
        assert_eq!(rows.as_array().unwrap().len(), 2);
        let drop = json!({"db": "shop", "csl": ".drop table ['Orders'] admins ('aadapp=new;tenant')"});
        assert!(obey(&mut shown, &drop, known));
        assert_eq!(shown, before);
        assert!(!obey(
            &mut shown,
            &json!({"csl": ".show database shop principals"}),
            known
        ));
    }
}
