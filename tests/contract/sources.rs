//! What every permission source keeps.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::cloud::{Cloud, respelled};
use super::documents::told;
use super::everywhere;

const KIND: &str = "permissions";

#[test]
fn every_source_grants_once_and_takes_back_without_a_trace() {
    everywhere(KIND, listed, keeps);
}

/// The grants of the old identity: each id once, the same in every listing, whatever the spelling of the identity.
fn listed(cloud: &Cloud, file: &str) -> Result<Vec<Value>, String> {
    let list = |identity: &Value| -> Result<Vec<Value>, String> {
        let value = cloud.call((KIND, file), "list", &[identity])?;
        let Value::Array(grants) = value else {
            return Err(format!("list gave {value}, and a list of grants is wanted"));
        };
        Ok(grants)
    };
    let grants = list(&cloud.old)?;
    if grants.is_empty() {
        // Where a file finds something it is looked at closely; where it finds nothing, once is enough.
        return Ok(grants);
    }
    for grant in &grants {
        for name in ["id", "scope", "what"] {
            if !grant[name].is_string() {
                return Err(format!("a grant has no {name}: {grant}"));
            }
        }
    }
    let ids = ids(&grants);
    if ids.len() != grants.len() {
        return Err(format!("two grants have one id: {ids:?}"));
    }
    if list(&cloud.old)? != grants {
        return Err("a second listing gives something else".into());
    }
    for spelled in respelled(&cloud.old) {
        let other = self::ids(&list(&spelled)?);
        if other != ids {
            return Err(format!("for {} it lists {other:?}, and not {ids:?}", spelled["id"]));
        }
    }
    whole(cloud, file, &grants)?;
    Ok(grants)
}

/// All grants at once: the new identity's list is then as long as the old one's, and empty when all are taken back.
fn whole(cloud: &Cloud, file: &str, grants: &[Value]) -> Result<(), String> {
    let before = cloud.estate();
    let given: Vec<&Value> = grants
        .iter()
        .filter(|grant| !grant["by_hand"].is_string() && grant["single"] != json!(true))
        .collect();
    let all = |function: &str| -> Result<Vec<Value>, String> {
        for grant in &given {
            cloud.call((KIND, file), function, &[grant, &cloud.target])?;
        }
        let listed = cloud.call((KIND, file), "list", &[&cloud.target])?;
        Ok(listed.as_array().cloned().unwrap_or_default())
    };
    let listed = all("grant")?;
    let (count, wanted) = (listed.len(), given.len());
    expect(count == wanted, || {
        format!("{wanted} were granted, and {count} are listed for the new identity")
    })?;
    // Verification finds each grant in this list by its scope.
    let scopes = |grants: &mut dyn Iterator<Item = &Value>| {
        let mut scopes: Vec<String> = grants.map(|grant| of_target(cloud, &grant["scope"])).collect();
        scopes.sort();
        scopes
    };
    let (there, wanted) = (scopes(&mut listed.iter()), scopes(&mut given.iter().copied()));
    expect(there == wanted, || {
        format!("granted at {wanted:?}, and listed for the new identity at {there:?}")
    })?;
    let count = all("revoke")?.len();
    expect(count == 0, || {
        format!("all were revoked, and {count} are still listed for the new identity")
    })?;
    alike("granted and revoked, all of them", &before, &cloud.estate())
}

/// A scope as it reads for the new identity, in lower case.
fn of_target(cloud: &Cloud, scope: &Value) -> String {
    let lower = |value: &Value| value.as_str().unwrap_or_default().to_lowercase();
    let mut text = lower(scope);
    for name in ["id", "clientId", "principalId"] {
        text = text.replace(&lower(&cloud.old[name]), &lower(&cloud.target[name]));
    }
    text
}

fn ids(grants: &[Value]) -> BTreeSet<String> {
    grants
        .iter()
        .map(|grant| grant["id"].as_str().unwrap_or_default().to_lowercase())
        .collect()
}

/// Puts one grant through everything that a run may do to it.
fn keeps(cloud: &Cloud, file: &str, grant: &Value) -> Result<(), String> {
    let (old, target) = (&cloud.old, &cloud.target);
    let ask = |function: &str, identity: &Value| cloud.call((KIND, file), function, &[grant, identity]);
    let before = cloud.estate();
    if grant["by_hand"].is_string() {
        return left_to_a_person(cloud, file, grant);
    }

    let held = ask("check", old)?;
    expect(held == json!(true), || {
        format!("check says {held} of the identity that it was listed for")
    })?;
    ask("grant", old)?;
    alike("granting what is there already", &before, &cloud.estate())?;
    for spelled in respelled(old) {
        let held = ask("check", &spelled)?;
        expect(held == json!(true), || {
            format!("check says {held} of {}", spelled["id"])
        })?;
        ask("grant", &spelled)?;
        alike("granting what another spelling has already", &before, &cloud.estate())?;
    }
    unsent(cloud, "revoking what an identity does not have", || {
        ask("revoke", target)
    })?;
    unsent(cloud, "planning", || planned(cloud, file, grant))?;

    let early = ask("check", target)?;
    expect(early == json!(false), || {
        format!("check says {early} before it was granted")
    })?;
    ask("grant", target)?;
    let once = cloud.estate();
    expect(once != before, || "grant changed nothing".into())?;
    let late = ask("check", target)?;
    expect(late == json!(true), || {
        format!("check says {late} after it was granted")
    })?;
    ask("grant", target)?;
    alike("granted twice is not granted once", &once, &cloud.estate())?;
    let [upper, _] = respelled(target);
    ask("grant", &upper)?;
    alike("granted to the same identity in other letters", &once, &cloud.estate())?;
    let kept = ask("check", old)?;
    // Of what has one holder only, the new one has taken it.
    expect(kept == json!(grant["single"] != json!(true)), || {
        format!("check says {kept} of the old identity, which lost it")
    })?;

    if grant["single"] == json!(true) {
        // It replaced the holder; what was before comes back by giving it to that one again.
        ask("grant", old)?;
        return alike("the holder before has it back", &before, &cloud.estate());
    }
    ask("revoke", &upper)?;
    alike("revoke left something behind", &before, &cloud.estate())?;
    let gone = ask("check", target)?;
    expect(gone == json!(false), || {
        format!("check says {gone} after it was revoked")
    })?;
    unsent(cloud, "revoking twice", || ask("revoke", target))
}

/// A grant that no request can give is handed over, in words, and nothing is sent.
fn left_to_a_person(cloud: &Cloud, file: &str, grant: &Value) -> Result<(), String> {
    let ask = |function: &str| cloud.call((KIND, file), function, &[grant, &cloud.target]);
    unsent(cloud, "what is left to a person", || {
        ask("grant")?;
        let seen = ask("check")?;
        expect(seen["unknown"].is_string(), || {
            format!("check says {seen} of what it cannot know")
        })?;
        ask("revoke")
    })?;
    let open = cloud.handed_over();
    let task = grant["task"].as_str().unwrap_or_default();
    let text = open
        .iter()
        .find(|(name, _)| name == task)
        .map(|(_, text)| text.as_str());
    let named = text.is_some_and(|text| text.contains(cloud.target["principalId"].as_str().unwrap()));
    expect(named, || {
        format!("no hand-over \"{task}\" names the new principal: {open:?}")
    })
}

/// Plans the grant for an identity that is planned itself: something is listed, and the check is taken as true.
fn planned(cloud: &Cloud, file: &str, grant: &Value) -> Result<(), String> {
    let plan = |function: &str, identity: &Value| cloud.plan((KIND, file), function, &[grant, identity]);
    let before = cloud.changes_planned();
    plan("grant", &cloud.planned)?;
    let given = cloud.changes_planned();
    expect(given > before, || "a plan lists no change for it".into())?;
    let seen = plan("check", &cloud.planned)?;
    expect(seen == json!(true), || format!("check says {seen} of what was planned"))?;
    if grant["single"] == json!(true) {
        // In the plan it has replaced the holder, from whom nothing is left to take.
        return Ok(());
    }
    plan("revoke", &cloud.old)?;
    expect(cloud.changes_planned() > given, || {
        "a plan lists no change for taking it from the old identity".into()
    })
}

/// Nothing is sent that changes anything.
pub fn unsent<T>(cloud: &Cloud, what: &str, body: impl FnOnce() -> Result<T, String>) -> Result<(), String> {
    let (before, mark) = (cloud.estate(), cloud.writes());
    body().map_err(|why| format!("{what}: {why}"))?;
    let writes = cloud.writes_since(mark);
    expect(writes.is_empty(), || format!("{what} sent {writes:?}"))?;
    alike(what, &before, &cloud.estate())
}

/// Two estates are equal, value by value.
pub fn alike(what: &str, before: &Value, after: &Value) -> Result<(), String> {
    if before == after {
        return Ok(());
    }
    let told = told(before, after);
    expect(told.is_empty(), || format!("{what}:{told}"))
}

/// A condition that must hold.
pub fn expect(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}
