//! Lists: filters, pages, counts, selections, costs.

use super::*;

fn many(count: usize) -> Directory {
    let id = |n: usize| format!("{n:08x}-0000-4000-8000-000000000000");
    let groups: Vec<Value> = (0..count)
        .map(|n| json!({"id": id(n), "displayName": format!("g{n}")}))
        .collect();
    Directory::load(&json!({"groups": groups}), TENANT).unwrap()
}

/// Follows the pages as a client does.
fn walk(directory: &mut Directory, url: &str, mut between: impl FnMut(&mut Directory, &[String])) -> Vec<String> {
    let mut all = Vec::new();
    let mut next = Some(url.to_owned());
    while let Some(url) = next {
        let answer = get(directory, &url);
        let page = ids(&answer);
        between(directory, &page);
        all.extend(page);
        let link = answer.body.unwrap()["@odata.nextLink"].as_str().map(str::to_owned);
        next = link.map(|link| link.strip_prefix("http://127.0.0.1:9").unwrap().to_owned());
    }
    all
}

#[test]
fn pages_have_a_hundred_rows_and_lead_to_the_end() {
    let mut directory = many(250);
    assert_eq!(ids(&get(&mut directory, "/v1.0/groups")).len(), 100);
    assert_eq!(walk(&mut directory, "/v1.0/groups", |_, _| ()).len(), 250);
    assert_eq!(
        walk(&mut directory, "/v1.0/groups?$top=7&$select=id", |_, _| ()).len(),
        250
    );
    let ordered = walk(
        &mut directory,
        "/v1.0/groups?$orderby=displayName desc&$top=90",
        |_, _| (),
    );
    assert_eq!(
        (ordered.len(), ordered[0].as_str()),
        (250, "00000063-0000-4000-8000-000000000000")
    );
    assert_eq!(ids(&get(&mut directory, "/v1.0/groups?$top=999")).len(), 250);
    for top in ["0", "1000", "x"] {
        assert_eq!(get(&mut directory, &format!("/v1.0/groups?$top={top}")).status, 400);
    }
    assert_eq!(
        refused(&get(&mut directory, "/v1.0/groups?$skiptoken=zzz")).1,
        "Directory_ExpiredPageToken"
    );
}

#[test]
fn no_row_is_missed_when_what_was_listed_is_deleted_on_the_way() {
    let mut directory = many(25);
    let all = walk(&mut directory, "/v1.0/groups?$top=10", |directory, page| {
        for id in page {
            assert_eq!(
                send(directory, "DELETE", &format!("/v1.0/groups/{id}"), Value::Null).status,
                204
            );
        }
    });
    assert_eq!(all.len(), 25);
}

#[test]
fn advanced_queries_need_the_header_and_the_count() {
    let mut directory = directory();
    for filter in [
        "displayName ne 'all'",
        "not startswith(displayName,'s')",
        "endsWith(displayName,'readers')",
    ] {
        let url = format!("/v1.0/groups?$filter={filter}");
        assert_eq!(
            refused(&get(&mut directory, &url)).1,
            "Request_UnsupportedQuery",
            "{filter}"
        );
        assert_eq!(get_eventual(&mut directory, &url).status, 400);
        assert_eq!(get_eventual(&mut directory, &format!("{url}&$count=true")).status, 200);
    }
    let url = "/v1.0/groups?$filter=endswith(displayName,'readers')&$count=true";
    let answer = get_eventual(&mut directory, url);
    assert_eq!(ids(&answer), [READERS]);
    assert_eq!(answer.body.unwrap()["@odata.count"], 1);
    assert_eq!(get(&mut directory, "/v1.0/groups/$count").status, 400);
    assert_eq!(get_eventual(&mut directory, "/v1.0/groups/$count").body, Some(json!(5)));
    assert!(
        get(&mut directory, "/v1.0/groups?$count=true")
            .body
            .unwrap()
            .get("@odata.count")
            .is_none()
    );
}

#[test]
fn wrong_filters_and_names_are_refused() {
    let mut directory = directory();
    let wrong = refused(&get(&mut directory, "/v1.0/groups?$filter=displayName eq"));
    assert_eq!((wrong.0, wrong.1.as_str()), (400, "Request_BadRequest"));
    assert!(wrong.2.starts_with("Invalid filter clause: "), "{}", wrong.2);
    assert_eq!(
        refused(&get(&mut directory, "/v1.0/groups?$filter=colour eq 'red'")).2,
        "Could not find a property named 'colour' on type 'microsoft.graph.group'."
    );
    for query in [
        "$select=colour",
        "$expand=colour",
        "$skip=1",
        "$wrong=1",
        "$filter=contains(displayName,'x')",
    ] {
        assert_eq!(
            get(&mut directory, &format!("/v1.0/groups?{query}")).status,
            400,
            "{query}"
        );
    }
}

#[test]
fn a_selection_and_an_expansion_shape_the_answer() {
    let mut directory = directory();
    let url = format!("/v1.0/groups/{READERS}?$select=id,displayName&$expand=members($select=id)");
    let body = get(&mut directory, &url).body.unwrap();
    assert_eq!(
        body,
        json!({
            "@odata.context": "http://127.0.0.1:9/v1.0/$metadata#groups(id,displayName,members(id))/$entity",
            "id": READERS, "displayName": "shop-readers",
            "members": [
                {"@odata.type": "#microsoft.graph.servicePrincipal", "id": SHOP},
                {"@odata.type": "#microsoft.graph.user", "id": CASEY},
            ],
        })
    );
}

#[test]
fn sign_ins_are_filtered_by_date_and_kind() {
    let mut directory = directory();
    let of = |more: &str| {
        format!(
            "/beta/auditLogs/signIns?$filter=signInEventTypes/any(t: t eq 'managedIdentity') and servicePrincipalId eq '{SHOP}'{more}"
        )
    };
    assert_eq!(ids(&get(&mut directory, &of(""))), ["s1", "s2"]);
    assert_eq!(
        ids(&get(
            &mut directory,
            &of(" and createdDateTime ge 2026-02-10T00:00:00Z")
        )),
        ["s2"]
    );
    assert_eq!(
        ids(&get(&mut directory, &of(" and createdDateTime le 2026-02-10"))),
        ["s1"]
    );
}

#[test]
fn each_answer_says_what_it_cost() {
    let mut directory = directory();
    let mut cost = |url: &str| {
        header(&get(&mut directory, url), "x-ms-resource-unit")
            .unwrap()
            .to_owned()
    };
    assert_eq!(cost("/v1.0/groups"), "1");
    assert_eq!(cost("/v1.0/applications"), "2");
    assert_eq!(cost(&format!("/v1.0/groups/{READERS}/members")), "3");
    assert_eq!(cost(&format!("/v1.0/groups/{READERS}/members?$select=id&$top=5")), "1");
    assert_eq!(cost(&format!("/v1.0/groups/{READERS}/transitiveMembers")), "5");
    assert_eq!(cost(&format!("/v1.0/groups/{READERS}?$expand=owners")), "2");
    let url = format!("/v1.0/servicePrincipals/{SHOP}/checkMemberGroups");
    let answer = send(&mut directory, "POST", &url, json!({"groupIds": []}));
    assert_eq!(header(&answer, "x-ms-resource-unit"), Some("4"));
}
