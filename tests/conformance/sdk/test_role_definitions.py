"""azure-mgmt-authorization: role definitions, built-in and custom."""

import uuid

import pytest
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.authorization.v2022_04_01.models import Permission, RoleAssignmentCreateParameters, RoleDefinition
from estate import OTHER_SUBSCRIPTION, ROBOT, SUBSCRIPTION
from helpers import refused, taken, unique

READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
SUB = f"/subscriptions/{SUBSCRIPTION}"


@pytest.fixture(scope="module")
def authorization(cloud):
    return cloud.client(AuthorizationManagementClient, SUBSCRIPTION)


def custom(places=(SUB,)):
    return RoleDefinition(
        role_name=unique("role-"),
        description="reads vaults",
        permissions=[Permission(actions=["Microsoft.KeyVault/vaults/read"], not_actions=[], data_actions=[], not_data_actions=[])],
        assignable_scopes=list(places),
    )


def test_a_built_in_role_is_found_by_name_in_any_case(authorization, group):
    for scope in (SUB, f"{SUB}/resourceGroups/{group}"):
        rows = list(authorization.role_definitions.list(scope, filter="roleName eq 'reader'"))
        assert [row.role_name for row in rows] == ["Reader"]
        row = rows[0]
        assert row.id == f"{SUB}/providers/Microsoft.Authorization/roleDefinitions/{READER}"
        assert (row.name, row.role_type, row.type) == (READER, "BuiltInRole", "Microsoft.Authorization/roleDefinitions")
        assert row.assignable_scopes == ["/"] and row.description
        assert row.permissions[0].actions == ["*/read"] and row.permissions[0].not_actions == []
        assert row.permissions[0].data_actions == [] and row.permissions[0].not_data_actions == []
        assert row.created_by is None and row.updated_by is None and row.created_on and row.updated_on
    assert list(authorization.role_definitions.list(SUB, filter="roleName eq 'No Such Role'")) == []


def test_the_tenant_shows_roles_without_a_subscription(authorization):
    row = next(iter(authorization.role_definitions.list("", filter="roleName eq 'Owner'")))
    assert row.id == "/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
    assert authorization.role_definitions.get_by_id(row.id.lstrip("/")).role_name == "Owner"


def test_a_custom_role_lives_and_dies(authorization):
    definitions, guid = authorization.role_definitions, str(uuid.uuid4())
    role = custom()
    status, *_, made = definitions.create_or_update(SUB, guid, role, cls=taken)
    assert status == 201 and (made.name, made.role_type, made.role_name) == (guid, "CustomRole", role.role_name)
    assert made.created_on and made.updated_on and made.updated_by
    assert [row.id for row in definitions.list(SUB, filter=f"roleName eq '{role.role_name}'")] == [made.id]
    assert made.id in {row.id for row in definitions.list(SUB, filter="type eq 'CustomRole'")}
    assert all(row.role_type == "BuiltInRole" for row in definitions.list(SUB, filter="type eq 'BuiltInRole'"))
    role.description = "reads vaults and more"
    assert definitions.create_or_update(SUB, guid, role).description == role.description
    assert definitions.get(SUB, guid).description == role.description
    status, *_, gone = definitions.delete(SUB, guid, cls=taken)
    assert status == 200 and gone.id == made.id
    assert definitions.delete(SUB, guid, cls=taken)[0] == 204
    with refused(404, "RoleDefinitionDoesNotExist", f"The specified role definition with ID '{guid.replace('-', '')}' does not exist."):
        definitions.get(SUB, guid)


def test_a_role_in_use_cannot_be_deleted(authorization):
    definitions, guid = authorization.role_definitions, str(uuid.uuid4())
    made = definitions.create_or_update(SUB, guid, custom())
    assignment = authorization.role_assignments.create(
        SUB, str(uuid.uuid4()), RoleAssignmentCreateParameters(role_definition_id=made.id, principal_id=ROBOT, principal_type="ServicePrincipal")
    )
    with refused(400, "RoleDefinitionHasAssignments", "There are existing role assignments referencing role"):
        definitions.delete(SUB, guid)
    authorization.role_assignments.delete_by_id(assignment.id.lstrip("/"))
    definitions.delete(SUB, guid)


def test_a_role_is_assigned_only_within_its_scopes(authorization):
    guid = str(uuid.uuid4())
    other = f"/subscriptions/{OTHER_SUBSCRIPTION}"
    made = authorization.role_definitions.create_or_update(other, guid, custom([other]))
    with pytest.raises(Exception) as caught:
        authorization.role_assignments.create(
            SUB, str(uuid.uuid4()), RoleAssignmentCreateParameters(role_definition_id=made.id, principal_id=ROBOT, principal_type="ServicePrincipal")
        )
    assert caught.value.status_code == 400 and caught.value.error.code
    assert made.name not in {row.name for row in authorization.role_definitions.list(SUB, filter="type eq 'CustomRole'")}


def test_two_custom_roles_cannot_share_a_name(authorization):
    role = custom()
    authorization.role_definitions.create_or_update(SUB, str(uuid.uuid4()), role)
    with refused(409, "RoleDefinitionWithSameNameExists"):
        authorization.role_definitions.create_or_update(SUB, str(uuid.uuid4()), role)


def test_built_in_roles_cannot_be_changed(authorization):
    for call in (
        lambda: authorization.role_definitions.create_or_update(SUB, READER, custom()),
        lambda: authorization.role_definitions.delete(SUB, READER),
    ):
        with pytest.raises(Exception) as caught:
            call()
        assert caught.value.status_code in (400, 403) and caught.value.error.code
