"""Entra ID: service principals, groups and their members."""

import tenant


def test_the_service_principal_of_an_identity_is_shown(az):
    shown = az("ad", "sp", "show", "--id", tenant.IDENTITY_CLIENT)
    assert shown["id"] == tenant.IDENTITY_PRINCIPAL
    assert shown["servicePrincipalType"] == "ManagedIdentity"
    assert shown["displayName"] == "id-shop"
    explicit, resource = shown["alternativeNames"]
    assert explicit == "isExplicit=True"
    assert resource.lower() == tenant.IDENTITY.lower() and "/resourcegroups/" in resource
    assert az("ad", "sp", "show", "--id", tenant.IDENTITY_PRINCIPAL)["appId"] == tenant.IDENTITY_CLIENT
    found = az("ad", "sp", "list", "--display-name", "id-sp")
    assert [one["displayName"] for one in found] == ["id-spare"]


def test_a_service_principal_that_is_not_there_is_told(az):
    said = az.fails(3, "ad", "sp", "show", "--id", "9d5e0f4e-0000-4000-8000-000000000000")
    assert "does not exist or one of its queried reference-property objects are not present" in said


def test_a_member_is_added_checked_listed_and_removed(az):
    group = ["--group", "all-teams"]
    member = ["--member-id", tenant.SPARE_PRINCIPAL]
    assert az("ad", "group", "member", "check", *group, *member)["value"] is False
    az("ad", "group", "member", "add", *group, *member)
    assert az("ad", "group", "member", "check", *group, *member)["value"] is True
    said = az.fails(1, "ad", "group", "member", "add", *group, *member)
    assert "One or more added object references already exist for the following modified properties: 'members'." in said
    listed = {one["id"] for one in az("ad", "group", "member", "list", *group)}
    assert listed == {tenant.TEAM, tenant.SPARE_PRINCIPAL}
    az("ad", "group", "member", "remove", *group, *member)
    said = az.fails(1, "ad", "group", "member", "remove", *group, *member)
    assert "does not exist or one of its queried reference-property objects are not present" in said


def test_who_is_in_a_group_through_another_is_seen(az):
    check = ["--group", "all-teams", "--member-id", tenant.IDENTITY_PRINCIPAL]
    # A membership through a group counts.
    assert az("ad", "group", "member", "check", *check)["value"] is True
    of = az("ad", "group", "get-member-groups", "--group", "shop-team")
    assert of == [tenant.TEAM_OF_TEAMS]


def test_a_group_is_found_by_name_and_missed(az):
    assert az("ad", "group", "show", "--group", "shop-team")["id"] == tenant.TEAM
    assert az("ad", "user", "show", "--id", "ada@contoso.example")["id"] == tenant.USER
    az.fails(1, "ad", "group", "show", "--group", "no-such-team")
