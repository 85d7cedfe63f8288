"""User-assigned identities."""

import uuid

import tenant


def test_an_identity_is_made_shown_and_deleted(az, simulator):
    made = az("identity", "create", "--name", "id-new", "--resource-group", "rg-shop", "--tags", "team=shop")
    assert "/resourcegroups/rg-shop/" in made["id"], "the provider spells it in lower case"
    assert made["location"] == "westeurope", "that of the group"
    assert made["tenantId"] == tenant.TENANT
    principal, client = uuid.UUID(made["principalId"]), uuid.UUID(made["clientId"])
    assert principal != client
    again = az("identity", "create", "--name", "id-new", "--resource-group", "rg-shop", "--tags", "team=shop")
    assert (again["principalId"], again["clientId"]) == (made["principalId"], made["clientId"])
    shown = az("identity", "show", "--name", "ID-NEW", "--resource-group", "RG-SHOP")
    assert shown["principalId"] == made["principalId"]
    az("identity", "delete", "--name", "id-new", "--resource-group", "rg-shop")
    assert simulator.document(made["id"]) is None
    # What is gone already is deleted without a word.
    az("identity", "delete", "--name", "id-new", "--resource-group", "rg-shop")


def test_an_identity_of_the_same_name_is_another_one(az):
    args = ["--name", "id-again", "--resource-group", "rg-shop"]
    first = az("identity", "create", *args)
    az("identity", "delete", *args)
    second = az("identity", "create", *args)
    assert first["principalId"] != second["principalId"]
    assert first["clientId"] != second["clientId"]


def test_identities_are_listed_by_group_and_by_subscription(az):
    az("identity", "create", "--name", "id-east", "--resource-group", "rg-shop-east")
    there = az("identity", "list", "--resource-group", "rg-shop-east")
    assert [one["name"] for one in there] == ["id-east"]
    everywhere = {one["name"] for one in az("identity", "list")}
    assert {"id-shop", "id-spare", "id-east"} <= everywhere


def test_an_identity_that_is_not_there_is_told(az):
    said = az.fails(3, "identity", "show", "--name", "id-nowhere", "--resource-group", "rg-shop")
    assert "(ResourceNotFound) The Resource 'Microsoft.ManagedIdentity/userAssignedIdentities/id-nowhere'" in said
    said = az.fails(3, "identity", "show", "--name", "id-shop", "--resource-group", "rg-nowhere")
    assert "(ResourceGroupNotFound)" in said


def test_an_identity_does_not_move(az):
    args = ["--name", "id-spare", "--resource-group", "rg-shop", "--location", "eastus"]
    said = az.fails(1, "identity", "create", *args)
    assert "(InvalidResourceLocation)" in said
    assert "already exists in location 'westeurope'" in said


def test_a_region_that_is_none_is_refused(az):
    args = ["--name", "id-moon", "--resource-group", "rg-shop", "--location", "moonbase"]
    said = az.fails(1, "identity", "create", *args)
    assert "(LocationNotAvailableForResourceType)" in said


def test_what_uses_an_identity_is_listed(az):
    used = az("identity", "list-resources", "--name", "id-shop", "--resource-group", "rg-shop")
    assert {one["name"] for one in used} == {"vm-shop", "app-shop"}
    assert {one["resourceGroup"].lower() for one in used} == {"rg-shop"}
    assert {one["subscriptionDisplayName"] for one in used} == {"shop"}
