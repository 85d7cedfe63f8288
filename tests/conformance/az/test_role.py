"""Role assignments and definitions."""

import tenant

READER_AT_GROUP = ["--role", "Reader", "--scope", tenant.EAST]


def assign(az, *more):
    return az("role", "assignment", "create", *more)


def test_a_role_is_given_to_an_identity_by_its_client_id(az, simulator):
    made = assign(az, "--assignee", tenant.SPARE_CLIENT, *READER_AT_GROUP)
    assert made["principalId"] == tenant.SPARE_PRINCIPAL
    assert made["principalType"] == "ServicePrincipal"
    assert made["scope"] == tenant.EAST
    assert made["roleDefinitionId"].endswith(tenant.READER)
    assert simulator.document(made["id"]) is not None
    # The same again is no error, and no second one.
    again = assign(az, "--assignee", tenant.SPARE_CLIENT, *READER_AT_GROUP)
    assert again["name"] == made["name"]
    listed = az("role", "assignment", "list", "--assignee", tenant.SPARE_CLIENT, "--all")
    assert [one["name"] for one in listed] == [made["name"]]
    assert listed[0]["roleDefinitionName"] == "Reader"
    assert listed[0]["principalName"] == tenant.SPARE_CLIENT
    az("role", "assignment", "delete", "--assignee", tenant.SPARE_CLIENT, *READER_AT_GROUP)
    assert simulator.document(made["id"]) is None


def test_a_role_is_given_to_a_person_by_name_and_to_a_group_by_id(az):
    person = assign(az, "--assignee", "ada@contoso.example", "--role", "Monitoring Reader", "--scope", tenant.EAST)
    assert (person["principalId"], person["principalType"]) == (tenant.USER, "User")
    group = assign(az, "--assignee", tenant.TEAM, "--role", "Monitoring Reader", "--scope", tenant.EAST)
    assert (group["principalId"], group["principalType"]) == (tenant.TEAM, "Group")
    az("role", "assignment", "delete", "--ids", person["id"], group["id"])
    assert az("role", "assignment", "list", "--scope", tenant.EAST) == []


def test_a_role_is_given_by_object_id_without_asking_the_directory(az):
    args = ["--assignee-object-id", tenant.SPARE_PRINCIPAL, "--assignee-principal-type", "ServicePrincipal"]
    made = assign(az, *args, "--role", tenant.CONTRIBUTOR, "--scope", tenant.EAST, "--description", "for the tests")
    assert made["description"] == "for the tests"
    assert made["condition"] is None
    az("role", "assignment", "delete", "--ids", made["id"])


def test_a_condition_is_kept_word_for_word(az):
    condition = (
        "((!(ActionMatches{'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'})) OR "
        "(@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringEquals 'orders'))"
    )
    args = ["--assignee", tenant.SPARE_CLIENT, "--role", "Storage Blob Data Reader", "--scope", tenant.STORAGE]
    made = assign(az, *args, "--condition", condition, "--condition-version", "2.0")
    assert (made["condition"], made["conditionVersion"]) == (condition, "2.0")
    az("role", "assignment", "delete", "--ids", made["id"])


def test_lists_show_what_is_at_a_scope_and_what_it_inherits(az):
    at = az("role", "assignment", "list", "--scope", tenant.GROUP)
    assert [one["principalId"] for one in at] == [tenant.IDENTITY_PRINCIPAL]
    inherited = az("role", "assignment", "list", "--scope", tenant.GROUP, "--include-inherited")
    assert {one["principalId"] for one in inherited} == {tenant.IDENTITY_PRINCIPAL, tenant.TEAM, tenant.DEPLOY}
    through_groups = az(
        *["role", "assignment", "list", "--assignee", tenant.IDENTITY_CLIENT, "--all", "--include-groups"]
    )
    assert {one["principalId"] for one in through_groups} == {tenant.IDENTITY_PRINCIPAL, tenant.TEAM}
    names = {one["principalName"] for one in az("role", "assignment", "list", "--all")}
    assert {tenant.IDENTITY_CLIENT, "shop-team", tenant.DEPLOY_APP} <= names


def test_a_principal_that_nobody_knows_is_told(az):
    nobody = "9d5e0f4e-0000-4000-8000-000000000000"
    said = az.fails(1, "role", "assignment", "create", "--assignee", nobody, *READER_AT_GROUP)
    assert "Cannot find user or service principal in graph database" in said
    args = ["--assignee-object-id", nobody, "--assignee-principal-type", "User", *READER_AT_GROUP]
    said = az.fails(1, "role", "assignment", "create", *args)
    assert "(PrincipalNotFound) Principal 9d5e0f4e000040008000000000000000 does not exist in the directory" in said


def test_a_principal_of_another_kind_is_told(az):
    args = ["--assignee-object-id", tenant.TEAM, "--assignee-principal-type", "User", *READER_AT_GROUP]
    said = az.fails(1, "role", "assignment", "create", *args)
    assert "(UnmatchedPrincipalType)" in said and "which is different from specified PrinciaplType 'User'" in said


def test_a_role_that_is_none_is_told(az):
    args = ["--assignee", tenant.SPARE_CLIENT, "--role", "Lord Of The Shop", "--scope", tenant.EAST]
    assert "Role 'Lord Of The Shop' doesn't exist" in az.fails(1, "role", "assignment", "create", *args)
    args[3] = "9d5e0f4e-0000-4000-8000-000000000001"
    assert "(RoleDefinitionDoesNotExist)" in az.fails(1, "role", "assignment", "create", *args)


def test_definitions_are_listed_made_and_deleted(az):
    reader = az("role", "definition", "list", "--name", "Reader")
    assert [one["name"] for one in reader] == [tenant.READER]
    assert reader[0]["permissions"][0]["actions"] == ["*/read"]
    assert reader[0]["roleType"] == "BuiltInRole"
    definition = (
        '{"Name": "Shop keeper", "Description": "Keeps the shop.", "Actions": ["Microsoft.Web/sites/restart/action"],'
        f' "AssignableScopes": ["{tenant.SUB}"]}}'
    )
    made = az("role", "definition", "create", "--role-definition", definition)
    assert made["roleType"] == "CustomRole"
    custom = az("role", "definition", "list", "--custom-role-only", "true")
    assert [one["roleName"] for one in custom] == ["Shop keeper"]
    given = assign(az, "--assignee", tenant.SPARE_CLIENT, "--role", "Shop keeper", "--scope", tenant.GROUP)
    said = az.fails(1, "role", "definition", "delete", "--name", "Shop keeper")
    assert "(RoleDefinitionHasAssignments) There are existing role assignments referencing role" in said
    az("role", "assignment", "delete", "--ids", given["id"])
    az("role", "definition", "delete", "--name", "Shop keeper")
    assert az("role", "definition", "list", "--custom-role-only", "true") == []
