//! Rights that end or wait to be asked for, units, and custom security attributes.

use super::*;

const ROLES: &str = "/v1.0/roleManagement/directory";
const GROUPS: &str = "/v1.0/identityGovernance/privilegedAccess/group";
const END: &str = "2031-03-31T00:00:00Z";

fn request(action: &str, subject: Value) -> Value {
    let mut body = json!({"action": action, "principalId": SHOP, "justification": "moved"});
    crate::types::json::merge(&mut body, &subject);
    if action == "adminAssign" {
        body["scheduleInfo"] = json!({"expiration": {"type": "afterDateTime", "endDateTime": END}});
    }
    body
}

fn instances(directory: &mut Directory, base: &str) -> Vec<Value> {
    let url = format!("{base}Instances?$filter=principalId eq '{SHOP}'");
    let body = get(directory, &url).body.unwrap();
    body["value"].as_array().unwrap().clone()
}

#[test]
fn a_role_that_ends_is_a_role_until_it_is_removed() {
    let mut directory = directory();
    let before = directory.save();
    let role = json!({"roleDefinitionId": "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", "directoryScopeId": "/"});
    let (base, url) = (
        format!("{ROLES}/roleAssignmentSchedule"),
        format!("{ROLES}/roleAssignmentScheduleRequests"),
    );
    let give = request("adminAssign", role.clone());
    assert_eq!(send(&mut directory, "POST", &url, give.clone()).status, 201);
    assert_eq!(
        send(&mut directory, "POST", &url, give).status,
        400,
        "it is there already"
    );
    let rows = instances(&mut directory, &base);
    assert_eq!(
        (&rows[0]["endDateTime"], &rows[0]["assignmentType"]),
        (&json!(END), &json!("Assigned"))
    );
    let held = format!("{ROLES}/roleAssignments?$filter=principalId eq '{SHOP}'");
    let roles = |directory: &mut Directory| get(directory, &held).body.unwrap()["value"].as_array().unwrap().len();
    let with_it = roles(&mut directory);
    let gone = request("adminRemove", role);
    assert_eq!(send(&mut directory, "POST", &url, gone.clone()).status, 201);
    assert_eq!(
        send(&mut directory, "POST", &url, gone).status,
        400,
        "it is not there any more"
    );
    assert_eq!(roles(&mut directory), with_it - 1);
    assert!(instances(&mut directory, &base).is_empty());
    assert_eq!(directory.save()["roleManagement"], before["roleManagement"]);
}

#[test]
fn an_eligible_membership_is_none_and_one_that_ends_is() {
    let mut directory = directory();
    let subject = json!({"groupId": PRIVILEGED, "accessId": "member"});
    for (kind, member) in [("eligibility", false), ("assignment", true)] {
        let url = format!("{GROUPS}/{kind}ScheduleRequests");
        assert_eq!(
            send(&mut directory, "POST", &url, request("adminAssign", subject.clone())).status,
            201
        );
        assert_eq!(instances(&mut directory, &format!("{GROUPS}/{kind}Schedule")).len(), 1);
        let members = ids(&get(&mut directory, &format!("/v1.0/groups/{PRIVILEGED}/members")));
        assert_eq!(members.contains(&SHOP.to_owned()), member, "{kind}");
    }
    directory.identity_deleted(SHOP);
    assert_eq!(
        directory.save()["assignmentScheduleInstances"],
        json!([]),
        "it goes with the principal"
    );
}

#[test]
fn attributes_that_are_emptied_leave_no_trace() {
    let mut directory = directory();
    let before = directory.save();
    let url = format!("/v1.0/servicePrincipals/{SHOP}");
    let set = |values: Value, flag: Value| {
        json!({"customSecurityAttributes": {"Engineering": {
            "@odata.type": "#Microsoft.DirectoryServices.CustomSecurityAttributeValue",
            "Project@odata.type": "#Collection(String)", "Project": values, "Certified": flag}}})
    };
    assert_eq!(
        send(&mut directory, "PATCH", &url, set(json!(["Ledger"]), json!(true))).status,
        204
    );
    let shown = get(&mut directory, &format!("{url}?$select=customSecurityAttributes"))
        .body
        .unwrap();
    assert_eq!(
        shown["customSecurityAttributes"]["Engineering"]["Project"],
        json!(["Ledger"])
    );
    assert_eq!(
        send(&mut directory, "PATCH", &url, set(json!([]), json!(null))).status,
        204
    );
    assert_eq!(directory.save(), before);
}

#[test]
fn a_unit_shows_among_what_its_members_are_in() {
    const UNIT: &str = "abcdabcd-abcd-4bcd-8bcd-abcdabcdabcd";
    let mut estate = estate();
    estate["administrativeUnits"] = json!([{"id": UNIT, "displayName": "shops", "members": [CASEY]}]);
    let mut directory = Directory::load(&estate, TENANT).unwrap();
    directory.identity_created("id-shop", SHOP, SHOP_APP, RESOURCE, None);
    let body = get(&mut directory, &format!("/v1.0/users/{CASEY}/memberOf"))
        .body
        .unwrap();
    let kinds: Vec<&str> = body["value"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row| row["@odata.type"].as_str())
        .collect();
    assert!(kinds.contains(&"#microsoft.graph.administrativeUnit"), "{kinds:?}");
    assert_eq!(ids(&get(&mut directory, "/v1.0/directory/administrativeUnits")), [UNIT]);
    let add = format!("/v1.0/directory/administrativeUnits/{UNIT}/members/$ref");
    assert_eq!(
        send(&mut directory, "POST", &add, reference(SHOP)).status,
        400,
        "no service principals"
    );
}
