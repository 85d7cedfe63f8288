"""azure-mgmt-authorization: role assignments, and who is refused what."""

import datetime
import io
import json
import uuid

import pytest
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.authorization.v2022_04_01.models import RoleAssignmentCreateParameters
from azure.mgmt.msi import ManagedServiceIdentityClient
from estate import ALICE, BOB, ENGINEERS, EVERYONE, ONLINE, PLATFORM, ROBOT, ROBOT_APP, SUBSCRIPTION, TENANT, WORKLOADS
from helpers import refused, taken, unique

READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
SUB = f"/subscriptions/{SUBSCRIPTION}"
MANAGEMENT = "/providers/Microsoft.Management/managementGroups"


def role(guid, scope=SUB):
    return f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{guid}"


def grant(principal, kind="ServicePrincipal", guid=READER, **more):
    return RoleAssignmentCreateParameters(role_definition_id=role(guid), principal_id=principal, principal_type=kind, **more)


@pytest.fixture(scope="module")
def authorization(cloud):
    return cloud.client(AuthorizationManagementClient, SUBSCRIPTION)


@pytest.fixture
def assignments(authorization):
    return authorization.role_assignments


@pytest.fixture
def scope(group):
    return f"{SUB}/resourceGroups/{group}"


def test_an_assignment_is_made_read_and_deleted_as_azure_shows_it(assignments, scope, identity):
    name = str(uuid.uuid4())
    status, _, headers, made = assignments.create(scope, name, grant(identity.principal_id, description="shop"), cls=taken)
    assert status == 201 and "location" not in headers
    assert made.id == f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
    assert (made.name, made.type, made.scope) == (name, "Microsoft.Authorization/roleAssignments", scope)
    assert made.role_definition_id == role(READER)
    assert (made.principal_id, made.principal_type, made.description) == (identity.principal_id, "ServicePrincipal", "shop")
    assert made.created_by is None and made.updated_by and made.created_on < made.updated_on
    read = assignments.get(scope, name)
    assert read.created_by == read.updated_by == made.updated_by
    assert read.created_on == read.updated_on and read.created_on.tzinfo is not None
    assert isinstance(read.created_on, datetime.datetime)
    assert assignments.get_by_id(read.id.lstrip("/")) == read
    status, *_, gone = assignments.delete(scope, name, cls=taken)
    assert status == 200 and gone.id == read.id and gone.created_on == read.created_on and gone.updated_on > read.updated_on
    status, *_, gone = assignments.delete(scope, name, cls=taken)
    assert status == 204 and gone is None
    with refused(404, "RoleAssignmentNotFound", f"The role assignment '{name}' is not found."):
        assignments.get(scope, name)


def test_every_member_of_an_assignment_is_on_the_wire(assignments, scope, identity):
    seen = {}

    def look(pipeline_response):
        seen.update(json.loads(pipeline_response.http_response.text()))

    assignments.create(scope, str(uuid.uuid4()), grant(identity.principal_id), raw_response_hook=look)
    assert list(seen) == ["properties", "id", "type", "name"]
    assert list(seen["properties"]) == [
        "roleDefinitionId", "principalId", "principalType", "scope", "condition", "conditionVersion", "createdOn",
        "updatedOn", "createdBy", "updatedBy", "delegatedManagedIdentityResourceId", "description",
    ]
    assert len(seen["properties"]["createdOn"]) == len("2025-04-03T09:30:11.5905444Z")


def test_what_an_assignment_says_can_be_changed_and_who_holds_it_cannot(assignments, scope, identity):
    name = str(uuid.uuid4())
    first = assignments.create(scope, name, grant(identity.principal_id))
    before = assignments.get(scope, name)
    condition = "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})))"
    status, *_, again = assignments.create(
        scope, name, grant(identity.principal_id, description="new", condition=condition, condition_version="2.0"), cls=taken
    )
    assert status == 201 and (again.description, again.condition, again.condition_version) == ("new", condition, "2.0")
    assert again.created_by is None and first.created_by is None
    after = assignments.get(scope, name)
    assert after.created_on == before.created_on and after.updated_on > before.updated_on
    message = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
    with refused(400, "RoleAssignmentUpdateNotPermitted", message):
        assignments.create(scope, name, grant(ROBOT))
    with refused(400, "RoleAssignmentUpdateNotPermitted", message):
        assignments.create(SUB, name, grant(identity.principal_id))


def test_a_second_assignment_of_the_same_is_refused_with_the_id_of_the_first(assignments, scope, identity):
    name = str(uuid.uuid4())
    assignments.create(scope, name, grant(identity.principal_id))
    dashless = name.replace("-", "")
    message = f"The role assignment already exists. The ID of the existing role assignment is {dashless}."
    with refused(409, "RoleAssignmentExists", message):
        assignments.create(scope, str(uuid.uuid4()), grant(identity.principal_id))
    assignments.create(scope, str(uuid.uuid4()), grant(identity.principal_id, guid=CONTRIBUTOR))


def test_a_deleted_and_recreated_identity_meets_its_old_assignment(msi, group, assignments, scope):
    name, assignment = unique("id-"), str(uuid.uuid4())
    old = msi.user_assigned_identities.create_or_update(group, name, {"location": "westeurope"})
    assignments.create(scope, assignment, grant(old.principal_id))
    msi.user_assigned_identities.delete(group, name)
    stays = assignments.get(scope, assignment)
    assert (stays.principal_id, stays.principal_type) == (old.principal_id, "ServicePrincipal")
    new = msi.user_assigned_identities.create_or_update(group, name, {"location": "westeurope"})
    with refused(400, "RoleAssignmentUpdateNotPermitted"):
        assignments.create(scope, assignment, grant(new.principal_id))


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (
            grant("99999999-9999-4999-8999-999999999999"),
            "PrincipalNotFound",
            f"Principal 99999999999949998999999999999999 does not exist in the directory {TENANT}. Check that you have the correct principal ID. If you are creating this principal and then immediately assigning a role, this error might be related to a replication delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype",
        ),
        (
            grant(ROBOT, kind="User"),
            "UnmatchedPrincipalType",
            f"The PrincipalId '{ROBOT.replace('-', '')}' has type 'ServicePrincipal' , which is different from specified PrinciaplType 'User'.",
        ),
        (
            grant(ROBOT, guid="00000000-1111-4222-8333-444444444444"),
            "RoleDefinitionDoesNotExist",
            "The specified role definition with ID '00000000111142228333444444444444' does not exist.",
        ),
        (grant("nobody"), "InvalidPrincipalId", "A valid principal ID must be provided for role assignment."),
        (grant(ROBOT, condition="x", condition_version="1.0"), None, "2.0"),
        (grant(ROBOT, condition="x"), None, None),
    ],
)
def test_bad_assignments_are_refused_in_azures_words(assignments, scope, body, code, message):
    if code is None:
        with pytest.raises(Exception) as caught:
            assignments.create(scope, str(uuid.uuid4()), body)
        assert caught.value.status_code == 400 and caught.value.error.code and (message or "") in caught.value.error.message
        return
    with refused(400, code, message):
        assignments.create(scope, str(uuid.uuid4()), body)


def test_the_sdk_takes_an_identity_for_a_user_unless_told(assignments, scope, identity):
    with refused(400, "UnmatchedPrincipalType"):
        assignments.create(scope, str(uuid.uuid4()), RoleAssignmentCreateParameters(role_definition_id=role(READER), principal_id=identity.principal_id))


def test_the_scope_of_the_body_must_be_that_of_the_path(assignments, scope, identity):
    name = str(uuid.uuid4())
    body = {"properties": {"roleDefinitionId": role(READER), "principalId": identity.principal_id, "principalType": "ServicePrincipal", "scope": SUB}}
    message = f"The request to create role assignment '{name}' is not valid. Role assignment scope '{SUB}' must match the scope specified on the URI '{scope}'."
    with refused(400, "InvalidCreateRoleAssignmentRequest", message):
        assignments.create(scope, name, io.BytesIO(json.dumps(body).encode()))


def test_a_new_principal_is_accepted_early_only_with_its_type(slow_cloud):
    from azure.mgmt.resource.resources import ResourceManagementClient

    groups = slow_cloud.client(ResourceManagementClient, SUBSCRIPTION).resource_groups
    groups.create_or_update("rg-late", {"location": "westeurope"})
    msi = slow_cloud.client(ManagedServiceIdentityClient, SUBSCRIPTION).user_assigned_identities
    late = msi.create_or_update("rg-late", unique("id-"), {"location": "westeurope"})
    assignments = slow_cloud.client(AuthorizationManagementClient, SUBSCRIPTION).role_assignments
    scope = f"{SUB}/resourceGroups/rg-late"
    with refused(400, "PrincipalNotFound"):
        assignments.create(scope, str(uuid.uuid4()), grant(late.principal_id, kind=None))
    assert assignments.create(scope, str(uuid.uuid4()), grant(late.principal_id)).principal_type == "ServicePrincipal"


def test_assignments_live_at_every_kind_of_scope(assignments, identity, scope):
    assert assignments.create(SUB, str(uuid.uuid4()), grant(identity.principal_id)).scope == SUB
    nested = assignments.create(identity.id, str(uuid.uuid4()), grant(identity.principal_id))
    assert nested.scope == identity.id and nested.role_definition_id == role(READER)
    above = f"{MANAGEMENT}/{ONLINE}"
    tenant_role = role(READER, "")
    body = RoleAssignmentCreateParameters(role_definition_id=tenant_role, principal_id=identity.principal_id, principal_type="ServicePrincipal")
    managed = assignments.create(above, str(uuid.uuid4()), body)
    assert (managed.scope, managed.role_definition_id) == (above, tenant_role)
    name = str(uuid.uuid4())
    root = assignments.create_by_id(f"providers/Microsoft.Authorization/roleAssignments/{name}", body)
    assert (root.scope, root.id) == ("/", f"/providers/Microsoft.Authorization/roleAssignments/{name}")
    seen = {row.id: row for row in assignments.list_for_scope(scope, filter=f"principalId eq '{identity.principal_id}'")}
    assert {managed.id, root.id} <= set(seen)
    assert all(row.role_definition_id == role(READER) for row in seen.values())
    for row in seen.values():
        assignments.delete_by_id(row.id)


def test_scopes_that_are_not_there_are_refused(assignments, identity):
    with refused(404, "ResourceGroupNotFound"):
        assignments.create(f"{SUB}/resourceGroups/rg-nowhere", str(uuid.uuid4()), grant(identity.principal_id))
    with refused(404, "ResourceNotFound"):
        assignments.create(f"{identity.id}-not", str(uuid.uuid4()), grant(identity.principal_id))
    other = f"/subscriptions/{uuid.uuid4()}"
    with refused(404, "SubscriptionNotFound"):
        assignments.create(other, str(uuid.uuid4()), grant(identity.principal_id))


@pytest.fixture
def ladder(assignments, scope, identity):
    """Assignments of one identity at a management group, its subscription, a group and itself."""
    reader = RoleAssignmentCreateParameters(role_definition_id=role(READER, ""), principal_id=identity.principal_id, principal_type="ServicePrincipal")
    scopes = {"above": f"{MANAGEMENT}/{WORKLOADS}", "sub": SUB, "group": scope, "own": identity.id}
    made = {name: assignments.create(at, str(uuid.uuid4()), reader).id for name, at in scopes.items()}
    yield made
    for one in made.values():
        assignments.delete_by_id(one)


def test_the_filters_of_a_list_choose_scope_and_principal(assignments, scope, identity, ladder):
    mine = f"principalId eq '{identity.principal_id}'"

    def ids(rows):
        return {row.id for row in rows if row.principal_id == identity.principal_id}

    assert ids(assignments.list_for_scope(scope, filter=mine)) == set(ladder.values())
    assert ids(assignments.list_for_scope(scope)) == set(ladder.values())
    assert ids(assignments.list_for_scope(scope, filter="atScope()")) == {ladder["above"], ladder["sub"], ladder["group"]}
    assert ids(assignments.list_for_subscription(filter="atScope()")) == {ladder["above"], ladder["sub"]}
    assert ids(assignments.list_for_subscription(filter=mine)) == set(ladder.values())
    assert ids(assignments.list_for_resource_group(scope.split("/")[-1], filter="atScope()")) == {ladder["above"], ladder["sub"], ladder["group"]}
    assert ids(
        assignments.list_for_resource(scope.split("/")[-1], "Microsoft.ManagedIdentity", "userAssignedIdentities", identity.name, filter="atScope()")
    ) == set(ladder.values())
    assert ids(assignments.list_for_scope(f"{MANAGEMENT}/{PLATFORM}", filter=mine)) == set()
    nobody = str(uuid.uuid4())
    assert list(assignments.list_for_subscription(filter=f"principalId eq '{nobody}'")) == []


def test_assigned_to_finds_what_a_principal_has_through_groups(assignments, scope):
    made = assignments.create(scope, str(uuid.uuid4()), grant(EVERYONE, kind="Group"))
    direct = assignments.create(scope, str(uuid.uuid4()), grant(ROBOT))
    found = {row.id for row in assignments.list_for_scope(scope, filter=f"assignedTo('{ROBOT}')")}
    assert {made.id, direct.id} <= found
    found = {row.id for row in assignments.list_for_scope(scope, filter=f"atScope() and assignedTo('{ALICE}')")}
    assert made.id in found and direct.id not in found
    assert made.id not in {row.id for row in assignments.list_for_scope(scope, filter=f"principalId eq '{ROBOT}'")}


@pytest.mark.parametrize(
    "text",
    [f"atScope() and principalId eq '{BOB}'", f"principalId eq '{BOB}' and atScope()", "roleDefinitionId eq 'x'", "principalId ne 'x'", "nonsense", f"principalId eq '{BOB}' or principalId eq '{ALICE}'"],
)
def test_other_filters_are_refused(assignments, text):
    with pytest.raises(Exception) as caught:
        list(assignments.list_for_subscription(filter=text))
    assert caught.value.status_code == 400 and caught.value.error.code == "UnsupportedQuery"


def test_permissions_of_the_caller_are_told(authorization, group):
    rows = list(authorization.permissions.list_for_resource_group(group))
    assert rows and rows[0].actions == ["*"] and rows[0].not_actions == []
    assert rows[0].data_actions is not None and rows[0].not_data_actions is not None


def test_a_users_and_a_groups_assignment_are_told_by_type(assignments, scope):
    assert assignments.create(scope, str(uuid.uuid4()), grant(BOB, kind="User")).principal_type == "User"
    assert assignments.create(scope, str(uuid.uuid4()), grant(ENGINEERS, kind="Group")).principal_type == "Group"


def test_the_id_of_an_application_is_no_principal(assignments, scope):
    with refused(400, "PrincipalNotFound"):
        assignments.create(scope, str(uuid.uuid4()), grant(ROBOT_APP))


def test_deny_assignments_of_a_scope_are_an_empty_list(authorization, group, scope):
    assert list(authorization.deny_assignments.list()) == []
    assert list(authorization.deny_assignments.list_for_resource_group(group)) == []
    assert list(authorization.deny_assignments.list_for_scope(scope, filter="atScope()")) == []
    with pytest.raises(Exception) as caught:
        authorization.deny_assignments.get(scope, str(uuid.uuid4()))
    assert caught.value.status_code == 404 and caught.value.error.code == "DenyAssignmentNotFound"


def test_schedules_of_a_scope_can_be_listed(authorization, scope, identity):
    mine = f"principalId eq '{identity.principal_id}'"
    for operations in (
        authorization.role_assignment_schedules,
        authorization.role_assignment_schedule_instances,
        authorization.role_assignment_schedule_requests,
        authorization.role_eligibility_schedules,
        authorization.role_eligibility_schedule_instances,
        authorization.role_eligibility_schedule_requests,
    ):
        assert list(operations.list_for_scope(scope, filter=mine)) == []
