//! What is known of Microsoft.ManagedIdentity, row by row.

use std::time::Duration;

use serde_json::json;

use super::*;

const FIC: &str = "federatedIdentityCredentials";

fn lower(id: &str) -> String {
    id.replace("resourceGroups", "resourcegroups")
}

fn members(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn credential(name: &str) -> String {
    format!("{RG}/{MSI}/id-shop/{FIC}/{name}?api-version=2024-11-30")
}

fn trust(subject: &str) -> Value {
    json!({"properties": {"issuer": "https://token.example", "subject": subject, "audiences": ["api://AzureADTokenExchange"]}})
}

#[tokio::test]
async fn members_come_in_the_order_and_number_of_each_api_version() {
    let sim = Sim::new(shop()).await;
    let at = |version: &str| identity("id-shop").replace("2024-11-30", version);
    let old = sim.get(&at("2018-11-30")).await.body;
    assert_eq!(members(&old), ["id", "name", "type", "location", "tags", "properties"]);
    assert_eq!(members(&old["properties"]), ["tenantId", "principalId", "clientId"]);
    let middle = sim.get(&at("2023-01-31")).await.body;
    assert_eq!(
        members(&middle),
        ["location", "tags", "id", "name", "type", "properties"]
    );
    assert_eq!(members(&middle["properties"]), ["tenantId", "principalId", "clientId"]);
    let new = sim.get(&at("2024-11-30")).await.body;
    assert_eq!(
        members(&new["properties"]),
        ["isolationScope", "tenantId", "principalId", "clientId"]
    );
    for body in [old, middle, new] {
        assert_eq!(
            (&body["tags"], &body["id"]),
            (&json!({}), &json!(lower(&format!("{RG}/{MSI}/id-shop"))))
        );
        assert!(body.get("etag").is_none() && body["properties"].get("provisioningState").is_none());
    }
    for version in [
        "2026-05-31",
        "2026-04-30",
        "2025-05-31-preview",
        "2025-01-31-preview",
        "2023-07-31-preview",
        "2022-01-31-preview",
        "2021-09-30-preview",
        "2015-08-31-preview",
    ] {
        assert_eq!(sim.get(&at(version)).await.status, 200, "{version}");
    }
}

#[tokio::test]
async fn an_identity_is_put_patched_and_deleted_with_the_answers_of_its_provider() {
    let sim = Sim::new(shop()).await;
    let made = sim
        .put(&identity("id-new"), json!({"location": "westus", "tags": {"a": "b"}}))
        .await;
    let id = lower(&format!("{RG}/{MSI}/id-new"));
    assert_eq!((made.status, made.header("location")), (201, Some(id.as_str())));
    let again = sim
        .put(&identity("id-new"), json!({"location": "West US", "tags": {"a": "b"}}))
        .await;
    assert_eq!((again.status, again.header("location")), (200, None));
    assert_eq!(again.body["properties"], made.body["properties"]);
    // Nobody chooses the ids of a principal.
    let own = json!({"location": "westus", "properties": {"principalId": OLD, "clientId": OLD, "tenantId": OLD}});
    assert_eq!(
        sim.put(&identity("id-new"), own).await.body["properties"],
        made.body["properties"]
    );
    let patched = sim
        .patch(
            &identity("id-new"),
            json!({"tags": {"c": "d"}, "properties": {"isolationScope": "Regional"}}),
        )
        .await;
    assert_eq!((patched.status, &patched.body["tags"]), (200, &json!({"c": "d"})));
    assert_eq!(patched.body["properties"]["isolationScope"], "Regional");
    let moved = sim.patch(&identity("id-new"), json!({"location": "eastus"})).await;
    assert_eq!((moved.status, moved.code()), (409, "InvalidResourceLocation"));
    let gone = sim.delete(&identity("id-new")).await;
    assert_eq!(
        (gone.status, gone.header("content-length"), gone.header("content-type")),
        (200, Some("0"), None)
    );
    assert_eq!(sim.delete(&identity("id-new")).await.status, 204);
    let missing = sim.get(&identity("id-new")).await;
    assert_eq!((missing.status, missing.code()), (404, "ResourceNotFound"));
    assert_eq!(
        missing.message(),
        "The Resource 'Microsoft.ManagedIdentity/userAssignedIdentities/id-new' under resource group \
         'rg-shop' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    );
    let reborn = sim.put(&identity("id-new"), json!({"location": "westus"})).await;
    assert_ne!(
        reborn.body["properties"]["principalId"],
        made.body["properties"]["principalId"]
    );
}

#[tokio::test]
async fn an_identity_that_cannot_be_is_refused() {
    let sim = Sim::new(shop()).await;
    for name in ["ab", "-ab", "a.b", "a b", &"x".repeat(129)] {
        let reply = sim.put(&identity(name), json!({"location": "eastus"})).await;
        assert_eq!((reply.status, reply.code()), (400, "InvalidResourceName"), "{name}");
    }
    let many: serde_json::Map<String, Value> = (0..51).map(|n| (format!("t{n}"), json!("x"))).collect();
    let refused = [
        (json!({}), "LocationRequired"),
        (json!({"location": "atlantis"}), "LocationNotAvailableForResourceType"),
        (
            json!({"location": "eastus", "properties": {"isolationScope": "Global"}}),
            "InvalidRequestContent",
        ),
        (json!({"location": "eastus", "tags": {"a": 1}}), "InvalidRequestContent"),
        (json!({"location": "eastus", "tags": "a"}), "InvalidRequestContent"),
        (json!({"location": "eastus", "tags": many}), "TooManyTags"),
    ];
    for (body, code) in refused {
        let reply = sim.put(&identity("id-new"), body.clone()).await;
        assert_eq!((reply.status, reply.code()), (400, code), "{body}");
    }
    let group = identity("id-new").replace("rg-shop", "rg-none");
    let reply = sim.put(&group, json!({"location": "eastus"})).await;
    assert_eq!(
        (reply.status, reply.message()),
        (404, "Resource group 'rg-none' could not be found.")
    );
    assert_eq!(sim.get(&identity("id-new")).await.status, 404);
}

#[tokio::test]
async fn identities_are_listed_by_group_and_by_subscription() {
    let sim = Sim::new(shop()).await;
    sim.put(
        &format!("{SUB}/resourceGroups/rg-b?api-version=2021-04-01"),
        json!({"location": "eastus"}),
    )
    .await;
    let other = format!("{SUB}/resourceGroups/rg-b/{MSI}/id-b?api-version=2024-11-30");
    sim.put(&other, json!({"location": "eastus"})).await;
    let in_group = sim.get(&format!("{RG}/{MSI}?api-version=2024-11-30")).await;
    assert_eq!(members(&in_group.body), ["value"]);
    assert_eq!(in_group.rows().len(), 1);
    let all = sim.get(&format!("{SUB}/{MSI}?api-version=2024-11-30")).await;
    assert_eq!(all.rows().len(), 2);
    assert!(
        all.rows()
            .iter()
            .all(|row| row["id"].as_str().unwrap().contains("/resourcegroups/") && row["tags"].is_object())
    );
    let operations = sim
        .get("/providers/Microsoft.ManagedIdentity/operations?api-version=2018-11-30")
        .await;
    assert_eq!(
        members(&operations.rows()[0]["display"]),
        ["provider", "resource", "operation", "description"]
    );
    let named = |name: &str| operations.rows().iter().any(|row| row["name"] == name);
    assert!(named("Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"));
    assert!(named(
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write"
    ));
}

#[tokio::test]
async fn tokens_are_revoked_in_the_one_version_that_had_it() {
    let sim = Sim::new(shop()).await;
    let path = |version: &str| format!("{RG}/{MSI}/id-shop/revokeTokens?api-version={version}");
    let revoked = sim.send("POST", &path("2023-07-31-preview"), None).await;
    assert_eq!((revoked.status, revoked.header("content-length")), (200, Some("0")));
    let later = sim.send("POST", &path("2024-11-30"), None).await;
    assert_eq!((later.status, later.code()), (404, "InvalidResourceType"));
    let nobody = path("2023-07-31-preview").replace("id-shop", "id-none");
    assert_eq!(sim.send("POST", &nobody, None).await.code(), "ResourceNotFound");
}

#[tokio::test]
async fn associated_resources_are_filtered_ordered_and_paged() {
    let sim = Sim::new(shop()).await;
    let key = format!("{RG}/{MSI}/id-shop");
    for name in ["beta", "alpha"] {
        let path = format!("{RG}/providers/Microsoft.Compute/virtualMachines/{name}?api-version=2024-03-01");
        let body =
            json!({"location": "eastus", "identity": {"type": "UserAssigned", "userAssignedIdentities": {&key: {}}}});
        assert_eq!(sim.put(&path, body).await.status, 201);
    }
    let ask = |query: &str| {
        let path = format!("{key}/listAssociatedResources?api-version=2022-01-31-preview&{query}");
        let sim = &sim;
        async move { sim.send("POST", &path, None).await }
    };
    let names = |reply: &Reply| {
        reply
            .rows()
            .iter()
            .map(|row| row["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let all = ask("$orderby=name asc").await;
    assert_eq!(
        (names(&all), &all.body["totalCount"]),
        (vec!["alpha".into(), "app".into(), "beta".into()], &json!(3))
    );
    assert_eq!(
        members(&all.rows()[0]),
        [
            "id",
            "name",
            "type",
            "resourceGroup",
            "subscriptionId",
            "subscriptionDisplayName"
        ]
    );
    assert_eq!(
        (&all.rows()[0]["type"], &all.rows()[0]["subscriptionDisplayName"]),
        (&json!("microsoft.compute/virtualmachines"), &json!("Shop"))
    );
    let machines = ask("$filter=type eq 'Microsoft.Compute/virtualMachines' and contains(name, 'bet')").await;
    assert_eq!(
        (names(&machines), &machines.body["totalCount"]),
        (vec!["beta".into()], &json!(1))
    );
    let page = ask("$orderby=name desc&$top=1&$skip=1").await;
    assert_eq!(
        (names(&page), &page.body["totalCount"]),
        (vec!["app".into()], &json!(3))
    );
    assert!(page.body["nextLink"].as_str().unwrap().starts_with(sim.server.url()));
    // The official client posts once, and gets what follows.
    let rest = sim.get(page.body["nextLink"].as_str().unwrap()).await;
    assert_eq!(names(&rest), ["alpha"]);
    assert_eq!(ask("$filter=colour eq 'red'").await.status, 400);
}

#[tokio::test]
async fn a_credential_is_shown_as_it_was_sent() {
    let sim = Sim::new(shop()).await;
    let made = sim.put(&credential("dev"), trust("dev")).await;
    let id = lower(&format!("{RG}/{MSI}/id-shop/{FIC}/dev"));
    assert_eq!((made.status, made.header("location")), (201, Some(id.as_str())));
    assert_eq!(members(&made.body), ["id", "name", "type", "properties"]);
    assert_eq!(
        made.body["type"],
        format!("Microsoft.ManagedIdentity/userAssignedIdentities/{FIC}")
    );
    assert_eq!(made.body["properties"], trust("dev")["properties"]);
    let again = sim.put(&credential("dev"), trust("other")).await;
    assert_eq!((again.status, again.header("location")), (200, None));
    assert_eq!(sim.get(&credential("dev")).await.body["properties"]["subject"], "other");
    let page = sim
        .get(&format!("{RG}/{MSI}/id-shop/{FIC}?api-version=2024-11-30&$top=1"))
        .await;
    assert_eq!(page.rows().len(), 1);
    let rest = sim.get(page.body["nextLink"].as_str().unwrap()).await;
    assert_eq!((rest.rows().len(), rest.body.get("nextLink")), (1, None));
    // The old one may keep its pair while the new one gets a copy.
    sim.put(&identity("id-new"), json!({"location": "eastus"})).await;
    let copy = credential("dev").replace("id-shop", "id-new");
    assert_eq!(sim.put(&copy, trust("other")).await.status, 201);
    let flexible = json!({"properties": {"issuer": "https://token.example", "audiences": ["a"],
        "claimsMatchingExpression": {"value": "claims['sub'] matches 'x*'", "languageVersion": 1}}});
    let preview = credential("flex").replace("2024-11-30", "2025-01-31-preview");
    assert_eq!(sim.put(&preview, flexible.clone()).await.status, 201);
    assert_eq!(sim.put(&credential("flex2"), flexible.clone()).await.status, 400);
    let stable = credential("flex3").replace("2024-11-30", "2026-05-31");
    assert_eq!(sim.put(&stable, flexible).await.status, 400);
    let before = credential("dev").replace("2024-11-30", "2018-11-30");
    assert_eq!(sim.get(&before).await.code(), "InvalidResourceType");
    let gone = sim.delete(&credential("dev")).await;
    assert_eq!((gone.status, gone.header("content-length")), (200, Some("0")));
    assert_eq!(sim.delete(&credential("dev")).await.status, 204);
    assert_eq!(sim.delete(&identity("id-new")).await.status, 200);
    assert!(sim.get(&copy).await.status == 404);
}

#[tokio::test]
async fn a_credential_that_cannot_be_is_refused_in_azures_words() {
    let sim = Sim::new(shop()).await;
    let with = |name: &str, value: Value| {
        let mut body = trust("dev");
        body["properties"][name] = value;
        body
    };
    let one = "Federated identity credentials must have exactly one audience.";
    let refused = [
        (
            credential("a"),
            trust("dev"),
            "Federated Identity Credential name 'a' is invalid.",
        ),
        (
            credential("dev"),
            json!({}),
            "Federated Identity Credential from HTTP body has empty properties",
        ),
        (
            credential("dev"),
            json!({"properties": {}}),
            "Federated Identity Credential from HTTP body has empty properties",
        ),
        (credential("dev"), with("audiences", json!([])), one),
        (credential("dev"), with("audiences", json!(["a", "b"])), one),
        (
            credential("dev"),
            trust("main"),
            "Issuer and subject combination already exists for this Managed Identity.",
        ),
    ];
    for (path, body, message) in refused {
        let reply = sim.put(&path, body).await;
        assert_eq!(
            (reply.status, reply.code(), reply.message()),
            (400, "BadRequest", message)
        );
    }
    for name in ["issuer", "subject"] {
        assert_eq!(
            sim.put(&credential("dev"), with(name, json!(""))).await.status,
            400,
            "{name}"
        );
    }
    // Compared letter by letter.
    assert_eq!(sim.put(&credential("upper"), trust("Main")).await.status, 201);
    let orphan = sim
        .put(&credential("dev").replace("id-shop", "id-none"), trust("dev"))
        .await;
    assert_eq!(
        (orphan.status, orphan.message()),
        (404, "The parent user-assigned identity doesn't exist.")
    );
    sim.put(&identity("id-asia"), json!({"location": "eastasia"})).await;
    let asia = sim
        .put(&credential("dev").replace("id-shop", "id-asia"), trust("dev"))
        .await;
    assert_eq!(
        (asia.status, asia.message()),
        (
            405,
            "The request format was unexpected: Support for federated identity credentials not enabled."
        )
    );
}

#[tokio::test]
async fn credentials_of_one_identity_are_written_one_after_another_and_those_of_two_side_by_side() {
    let sim = Sim::with(Options {
        estate: shop(),
        lag: Some(Duration::ZERO),
        latency: Duration::from_millis(60),
        ..Options::default()
    })
    .await;
    sim.put(&identity("id-new"), json!({"location": "eastus"})).await;
    let (first, second) = (credential("one"), credential("ci"));
    let (made, gone) = tokio::join!(sim.put(&first, trust("one")), sim.delete(&second));
    let refused = [&made, &gone].into_iter().find(|reply| reply.status == 409).unwrap();
    assert_eq!(
        refused.code(),
        "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity"
    );
    let id = format!("{RG}/{MSI}/id-shop").to_lowercase();
    assert_eq!(
        refused.message(),
        format!(
            "Too many Federated Identity Credentials are written concurrently for the managed \
         identity '{id}'. Concurrent Federated Identity Credentials writes under the same managed identity are not supported."
        )
    );
    let other = credential("two").replace("id-shop", "id-new");
    let third = credential("three");
    let (a, b) = tokio::join!(sim.put(&third, trust("three")), sim.put(&other, trust("two")));
    assert_eq!((a.status, b.status), (201, 201));
}
