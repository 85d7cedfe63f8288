"""Resources without a command of their own, and plain requests."""

import json

import tenant


def test_resources_are_listed_by_group_type_and_tag(az):
    everything = {one["name"] for one in az("resource", "list", "--resource-group", "rg-shop")}
    assert {"id-shop", "vm-shop", "app-shop", "kv-shop", "cosmos-shop", "stshop"} <= everything
    vaults = az("resource", "list", "--resource-type", "Microsoft.KeyVault/vaults")
    assert [one["name"] for one in vaults] == ["kv-shop"]
    assert "properties" not in vaults[0] or vaults[0]["properties"] is None


def test_a_resource_is_shown_tagged_and_missed(az):
    named = ["--resource-group", "rg-shop", "--name", "stshop", "--resource-type", "Microsoft.Storage/storageAccounts"]
    assert az("resource", "show", *named)["id"] == tenant.STORAGE
    assert az("resource", "tag", "--ids", tenant.STORAGE, "--tags", "cost=low")["tags"] == {"cost": "low"}
    tagged = az("resource", "list", "--tag", "cost=low")
    assert [one["name"] for one in tagged] == ["stshop"]
    missing = tenant.STORAGE + "2"
    said = az.fails(3, "resource", "show", "--ids", missing)
    assert "(ResourceNotFound)" in said


def test_providers_tell_their_api_versions(az):
    shown = az("provider", "show", "--namespace", "Microsoft.ManagedIdentity")
    assert shown["registrationState"] == "Registered"
    types = {one["resourceType"]: one for one in shown["resourceTypes"]}
    assert "2024-11-30" in types["userAssignedIdentities"]["apiVersions"]
    regions = {one["name"] for one in az("account", "list-locations")}
    assert {"westeurope", "northeurope", "eastus"} <= regions


def test_rest_goes_to_resource_manager_and_to_graph(az, simulator):
    url = f"{tenant.IDENTITY}?api-version=2024-11-30"
    shown = az("rest", "--method", "get", "--url", url)
    assert shown["properties"]["isolationScope"] == "None"
    graph = az("rest", "--method", "get", "--url", f"{simulator.url}/v1.0/groups/{tenant.TEAM}/members?$select=id")
    assert {one["id"] for one in graph["value"]} == {tenant.IDENTITY_PRINCIPAL, tenant.USER}


def test_an_api_version_is_needed_and_must_be_one(az):
    said = az.fails(1, "rest", "--method", "get", "--url", tenant.IDENTITY)
    assert "MissingApiVersionParameter" in said
    said = az.fails(1, "rest", "--method", "get", "--url", f"{tenant.IDENTITY}?api-version=1999-01-01")
    assert "NoRegisteredProviderFound" in said


# `az graph query` is an extension, which az downloads from a place of its own; the request is the same.
def query(az, text, **more):
    body = json.dumps({"subscriptions": [tenant.SUBSCRIPTION], "query": text, **more})
    url = "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01"
    return az("rest", "--method", "post", "--url", url, "--body", body)


def test_resource_graph_finds_what_uses_an_identity(az):
    found = query(
        az,
        "resources | where isnotempty(identity.userAssignedIdentities) | mv-expand id_ = bag_keys(identity.userAssignedIdentities)"
        f" | where id_ =~ '{tenant.IDENTITY}' | project id, name | order by name asc",
    )
    assert [row["name"] for row in found["data"]] == ["app-shop", "vm-shop"]
    assert found["resultTruncated"] == "false"
    joined = query(
        az,
        "authorizationresources | where type =~ 'microsoft.authorization/roleassignments'"
        f" | where properties.principalId == '{tenant.IDENTITY_PRINCIPAL}' | summarize count()",
    )
    assert joined["data"] == [{"count_": 2}]


def test_resource_graph_pages_and_tells_what_it_cannot_read(az):
    first = query(az, "resources | project id | order by id asc", options={"$top": 2})
    assert first["count"] == 2 and first["$skipToken"]
    options = {"$top": 2, "$skipToken": first["$skipToken"]}
    second = query(az, "resources | project id | order by id asc", options=options)
    assert not {row["id"] for row in first["data"]} & {row["id"] for row in second["data"]}
    body = json.dumps({"query": "resources | wher name == 'x'"})
    url = "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01"
    said = az.fails(1, "rest", "--method", "post", "--url", url, "--body", body)
    assert "ParserFailure" in said
