"""msgraph-sdk: service principals, groups, members, app roles, directory roles, batches."""

import asyncio
import ssl
import uuid

import httpx
import pytest
from azure.core.credentials import AccessToken
from estate import ALICE, BOB, DYNAMIC, ENGINEERS, EVERYONE, GRAPH, GROUP_READ_ALL, ROBOT, ROBOT_APP, TENANT, USER_READ_ALL
from helpers import unique
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph_core import GraphClientFactory
from msgraph_core.requests.batch_request_content import BatchRequestContent
from msgraph.generated.directory_objects.get_by_ids.get_by_ids_post_request_body import GetByIdsPostRequestBody
from msgraph.generated.groups.groups_request_builder import GroupsRequestBuilder
from msgraph.generated.groups.item.members.members_request_builder import MembersRequestBuilder
from msgraph.generated.models.app_role_assignment import AppRoleAssignment
from msgraph.generated.models.group import Group
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.reference_create import ReferenceCreate
from msgraph.generated.models.unified_role_assignment import UnifiedRoleAssignment
from msgraph.generated.role_management.directory.role_assignments.role_assignments_request_builder import RoleAssignmentsRequestBuilder
from msgraph.generated.service_principals.item.check_member_groups.check_member_groups_post_request_body import CheckMemberGroupsPostRequestBody
from msgraph.generated.service_principals.item.get_member_groups.get_member_groups_post_request_body import GetMemberGroupsPostRequestBody
from msgraph.generated.service_principals.item.member_of.member_of_request_builder import MemberOfRequestBuilder
from msgraph.generated.service_principals.service_principals_request_builder import ServicePrincipalsRequestBuilder

DIRECTORY_READERS = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"


class Credential:
    def get_token(self, *_scopes, **_options):
        return AccessToken("conformance", 2_000_000_000)


class Graph:
    """A client, and the event loop that it lives in."""

    def __init__(self, cloud):
        self.runner = asyncio.Runner()
        provider = AzureIdentityAuthenticationProvider(Credential(), scopes=["https://graph.microsoft.com/.default"])
        http = GraphClientFactory.create_with_default_middleware(client=httpx.AsyncClient(verify=ssl.create_default_context(cafile=cloud.ca)))
        adapter = GraphRequestAdapter(provider, client=http)
        adapter.base_url = f"{cloud.url}/v1.0"
        self.client = GraphServiceClient(request_adapter=adapter)

    def __call__(self, call):
        return self.runner.run(self._await(call))

    async def _await(self, call):
        return await call(self.client)

    def refused(self, call, status, code, message=None):
        with pytest.raises(ODataError) as caught:
            self(call)
        error = caught.value
        assert (error.response_status_code, error.error.code) == (status, code), error
        if message:
            assert error.error.message == message
        inner = error.error.inner_error
        assert uuid.UUID(inner.request_id) and uuid.UUID(inner.client_request_id) and inner.date is not None


@pytest.fixture(scope="module")
def graph(cloud):
    made = Graph(cloud)
    yield made
    made.runner.close()


def query(kind, eventual=False, **parameters):
    options = RequestConfiguration(query_parameters=kind(**parameters))
    if eventual:
        options.headers.add("ConsistencyLevel", "eventual")
    return options


PRINCIPALS = ServicePrincipalsRequestBuilder.ServicePrincipalsRequestBuilderGetQueryParameters
GROUPS = GroupsRequestBuilder.GroupsRequestBuilderGetQueryParameters
MEMBERS = MembersRequestBuilder.MembersRequestBuilderGetQueryParameters
MEMBER_OF = MemberOfRequestBuilder.MemberOfRequestBuilderGetQueryParameters


def reference(cloud, guid):
    return ReferenceCreate(odata_id=f"{cloud.url}/v1.0/directoryObjects/{guid}")


@pytest.fixture
def team(graph):
    """A new security group."""
    name = unique("team-")
    return graph(lambda c: c.groups.post(Group(display_name=name, mail_nickname=name, mail_enabled=False, security_enabled=True)))


def test_the_principal_of_an_identity_is_whole(graph, identity):
    found = graph(lambda c: c.service_principals.get(query(PRINCIPALS, filter=f"appId eq '{identity.client_id}'"))).value
    assert [one.id for one in found] == [identity.principal_id]
    one = found[0]
    assert (one.service_principal_type, one.display_name, one.app_id) == ("ManagedIdentity", identity.name, identity.client_id)
    assert one.alternative_names == ["isExplicit=True", identity.id]
    assert identity.client_id in one.service_principal_names and one.account_enabled is True
    assert one.app_owner_organization_id is None and one.app_roles == [] and one.tags is not None
    assert graph(lambda c: c.service_principals.by_service_principal_id(identity.principal_id).get()).id == one.id
    assert graph(lambda c: c.service_principals_with_app_id(identity.client_id).get()).id == one.id


def test_principals_are_found_by_name_and_by_any_of_their_names(graph, identity):
    def ids(text):
        return [one.id for one in graph(lambda c: c.service_principals.get(query(PRINCIPALS, filter=text))).value]

    assert ids(f"servicePrincipalNames/any(c:c eq '{identity.client_id}')") == [identity.principal_id]
    assert ids(f"displayName eq '{identity.name}'") == [identity.principal_id]
    assert ids(f"startswith(displayName,'{identity.name[:-1]}')") == [identity.principal_id]
    assert ids(f"appId eq '{identity.client_id}' and servicePrincipalType eq 'ManagedIdentity'") == [identity.principal_id]
    assert ids(f"appId in ('{identity.client_id}','{ROBOT_APP}')") and len(ids(f"appId in ('{identity.client_id}','{ROBOT_APP}')")) == 2
    assert ids("servicePrincipalNames/any(c:c eq 'nobody')") == []
    message = "Could not find a property named 'colour' on type 'microsoft.graph.servicePrincipal'."
    graph.refused(lambda c: c.service_principals.get(query(PRINCIPALS, filter="colour eq 'red'")), 400, "BadRequest", message)


def test_a_missing_object_is_told_by_its_id(graph):
    nobody = str(uuid.uuid4())
    message = f"Resource '{nobody}' does not exist or one of its queried reference-property objects are not present."
    for call in (
        lambda c: c.service_principals.by_service_principal_id(nobody).get(),
        lambda c: c.groups.by_group_id(nobody).get(),
        lambda c: c.groups.by_group_id(nobody).members.get(),
        lambda c: c.groups.by_group_id(nobody).delete(),
        lambda c: c.directory_objects.by_directory_object_id(nobody).get(),
        lambda c: c.service_principals.by_service_principal_id(nobody).member_of.get(),
    ):
        graph.refused(call, 404, "Request_ResourceNotFound", message)


def test_a_deleted_identity_leaves_the_directory(graph, msi, group, identity):
    msi.user_assigned_identities.delete(group, identity.name)
    graph.refused(lambda c: c.service_principals.by_service_principal_id(identity.principal_id).get(), 404, "Request_ResourceNotFound")
    assert graph(lambda c: c.service_principals.get(query(PRINCIPALS, filter=f"appId eq '{identity.client_id}'"))).value == []


def test_select_leaves_the_rest_out(graph):
    one = graph(lambda c: c.service_principals.get(query(PRINCIPALS, filter=f"appId eq '{ROBOT_APP}'", select=["id", "displayName"]))).value[0]
    assert (one.id, one.display_name, one.app_id, one.service_principal_type) == (ROBOT, "robot", None, None)


def test_a_group_is_made_changed_and_deleted(graph, team):
    assert uuid.UUID(team.id) and team.created_date_time and team.security_enabled is True and team.mail_enabled is False
    assert team.group_types == [] and team.security_identifier.startswith("S-1-12-1-") and team.is_assignable_to_role is None
    assert team.visibility is None or isinstance(team.visibility, str)
    graph(lambda c: c.groups.by_group_id(team.id).patch(Group(description="new")))
    read = graph(lambda c: c.groups.by_group_id(team.id).get())
    assert read.description == "new" and read.display_name == team.display_name and read.renewed_date_time
    assert [one.id for one in graph(lambda c: c.groups.get(query(GROUPS, filter=f"displayName eq '{team.display_name}'"))).value] == [team.id]
    graph(lambda c: c.groups.by_group_id(team.id).delete())
    graph.refused(lambda c: c.groups.by_group_id(team.id).get(), 404, "Request_ResourceNotFound")


def test_a_bad_group_is_refused(graph):
    graph.refused(lambda c: c.groups.post(Group(display_name="x")), 400, "Request_BadRequest")


def test_members_come_and_go(cloud, graph, team, identity):
    members = lambda c: c.groups.by_group_id(team.id).members  # noqa: E731
    assert graph(lambda c: members(c).ref.post(reference(cloud, identity.principal_id))) is None
    graph.refused(
        lambda c: members(c).ref.post(reference(cloud, identity.principal_id)),
        400,
        "Request_BadRequest",
        "One or more added object references already exist for the following modified properties: 'members'.",
    )
    found = graph(lambda c: members(c).get()).value
    assert [(one.id, one.odata_type) for one in found] == [(identity.principal_id, "#microsoft.graph.servicePrincipal")]
    assert type(found[0]).__name__ == "ServicePrincipal" and found[0].app_id == identity.client_id
    graph(lambda c: members(c).by_directory_object_id(identity.principal_id).ref.delete())
    assert graph(lambda c: members(c).get()).value == []
    graph.refused(lambda c: members(c).by_directory_object_id(identity.principal_id).ref.delete(), 404, "Request_ResourceNotFound")
    graph.refused(lambda c: members(c).ref.post(reference(cloud, str(uuid.uuid4()))), 404, "Request_ResourceNotFound")


def test_many_members_at_once_are_all_or_nothing(cloud, graph, team, identity):
    def bind(*guids):
        body = Group()
        body.additional_data = {"members@odata.bind": [f"{cloud.url}/v1.0/directoryObjects/{guid}" for guid in guids]}
        return lambda c: c.groups.by_group_id(team.id).patch(body)

    graph(bind(ALICE, identity.principal_id))
    assert {one.id for one in graph(lambda c: c.groups.by_group_id(team.id).members.get()).value} == {ALICE, identity.principal_id}
    graph.refused(bind(BOB, ALICE), 400, "Request_BadRequest")
    graph.refused(bind(BOB, str(uuid.uuid4())), 404, "Request_ResourceNotFound")
    with pytest.raises(ODataError) as caught:
        graph(bind(*[str(uuid.uuid4()) for _ in range(21)]))
    assert caught.value.response_status_code == 400
    assert {one.id for one in graph(lambda c: c.groups.by_group_id(team.id).members.get()).value} == {ALICE, identity.principal_id}


def test_owners_come_and_go_like_members(cloud, graph, team, identity):
    graph(lambda c: c.groups.by_group_id(team.id).owners.ref.post(reference(cloud, identity.principal_id)))
    graph(lambda c: c.groups.by_group_id(team.id).owners.ref.post(reference(cloud, BOB)))
    graph.refused(
        lambda c: c.groups.by_group_id(team.id).owners.ref.post(reference(cloud, BOB)),
        400,
        "Request_BadRequest",
        "One or more added object references already exist for the following modified properties: 'owners'.",
    )
    assert {one.id for one in graph(lambda c: c.groups.by_group_id(team.id).owners.get()).value} >= {BOB, identity.principal_id}
    owned = graph(lambda c: c.service_principals.by_service_principal_id(identity.principal_id).owned_objects.get()).value
    assert [one.id for one in owned] == [team.id]
    graph(lambda c: c.groups.by_group_id(team.id).owners.by_directory_object_id(identity.principal_id).ref.delete())
    assert identity.principal_id not in {one.id for one in graph(lambda c: c.groups.by_group_id(team.id).owners.get()).value}


def test_members_of_a_dynamic_group_cannot_be_changed(cloud, graph, identity):
    for call in (
        lambda c: c.groups.by_group_id(DYNAMIC).members.ref.post(reference(cloud, identity.principal_id)),
        lambda c: c.groups.by_group_id(DYNAMIC).members.by_directory_object_id(ALICE).ref.delete(),
    ):
        with pytest.raises(ODataError) as caught:
            graph(call)
        assert caught.value.response_status_code in (400, 403) and caught.value.error.code


def test_membership_is_direct_or_transitive(graph):
    robot = lambda c: c.service_principals.by_service_principal_id(ROBOT)  # noqa: E731
    direct = graph(lambda c: robot(c).member_of.get()).value
    assert [one.id for one in direct] == [ENGINEERS] and direct[0].odata_type == "#microsoft.graph.group"
    assert {one.id for one in graph(lambda c: robot(c).transitive_member_of.get()).value} == {ENGINEERS, EVERYONE}
    ids = graph(lambda c: robot(c).get_member_groups.post(GetMemberGroupsPostRequestBody(security_enabled_only=False))).value
    assert set(ids) == {ENGINEERS, EVERYONE}
    nobody = str(uuid.uuid4())
    checked = graph(lambda c: robot(c).check_member_groups.post(CheckMemberGroupsPostRequestBody(group_ids=[EVERYONE, DYNAMIC, nobody]))).value
    assert checked == [EVERYONE]
    with pytest.raises(ODataError) as caught:
        graph(lambda c: robot(c).check_member_groups.post(CheckMemberGroupsPostRequestBody(group_ids=[str(uuid.uuid4()) for _ in range(21)])))
    assert caught.value.response_status_code == 400
    members = graph(lambda c: c.groups.by_group_id(EVERYONE).transitive_members.get()).value
    assert {one.id for one in members} == {ENGINEERS, ALICE, ROBOT, BOB}


def test_casts_choose_a_kind(graph):
    rows = graph(lambda c: c.service_principals.by_service_principal_id(ROBOT).member_of.graph_group.get()).value
    assert [(one.id, one.display_name) for one in rows] == [(ENGINEERS, "engineers")]
    rows = graph(lambda c: c.groups.by_group_id(ENGINEERS).members.graph_service_principal.get()).value
    assert [one.id for one in rows] == [ROBOT]


def test_objects_are_told_by_their_ids(graph):
    nobody = str(uuid.uuid4())
    rows = graph(lambda c: c.directory_objects.get_by_ids.post(GetByIdsPostRequestBody(ids=[ROBOT, ALICE, ENGINEERS, nobody]))).value
    assert {(one.id, one.odata_type) for one in rows} == {
        (ROBOT, "#microsoft.graph.servicePrincipal"),
        (ALICE, "#microsoft.graph.user"),
        (ENGINEERS, "#microsoft.graph.group"),
    }
    rows = graph(lambda c: c.directory_objects.get_by_ids.post(GetByIdsPostRequestBody(ids=[ROBOT, ALICE], types=["user"]))).value
    assert [one.id for one in rows] == [ALICE]


def test_app_roles_are_granted_once_and_taken(graph, identity):
    own = lambda c: c.service_principals.by_service_principal_id(identity.principal_id)  # noqa: E731
    body = AppRoleAssignment(principal_id=uuid.UUID(identity.principal_id), resource_id=uuid.UUID(GRAPH), app_role_id=uuid.UUID(USER_READ_ALL))
    made = graph(lambda c: own(c).app_role_assignments.post(body))
    assert len(made.id) == 43 and made.created_date_time and made.principal_type == "ServicePrincipal"
    assert (made.principal_display_name, made.resource_display_name) == (identity.name, "Microsoft Graph")
    assert (str(made.app_role_id), str(made.resource_id)) == (USER_READ_ALL, GRAPH)
    with pytest.raises(ODataError) as caught:
        graph(lambda c: own(c).app_role_assignments.post(body))
    assert caught.value.response_status_code == 400 and "Permission being assigned already exists on the object" in caught.value.error.message
    body.app_role_id = uuid.UUID(GROUP_READ_ALL)
    graph(lambda c: c.service_principals.by_service_principal_id(GRAPH).app_role_assigned_to.post(body))
    assert {str(one.app_role_id) for one in graph(lambda c: own(c).app_role_assignments.get()).value} == {USER_READ_ALL, GROUP_READ_ALL}
    holders = graph(lambda c: c.service_principals.by_service_principal_id(GRAPH).app_role_assigned_to.get()).value
    assert made.id in {one.id for one in holders}
    assert graph(lambda c: own(c).app_role_assignments.by_app_role_assignment_id(made.id).get()).id == made.id
    graph(lambda c: own(c).app_role_assignments.by_app_role_assignment_id(made.id).delete())
    assert made.id not in {one.id for one in graph(lambda c: own(c).app_role_assignments.get()).value}
    graph.refused(lambda c: own(c).app_role_assignments.by_app_role_assignment_id(made.id).delete(), 404, "Request_ResourceNotFound")
    body.app_role_id = uuid.uuid4()
    with pytest.raises(ODataError) as caught:
        graph(lambda c: own(c).app_role_assignments.post(body))
    assert caught.value.response_status_code == 400


def test_directory_roles_are_assigned(graph, identity):
    roles = lambda c: c.role_management.directory.role_assignments  # noqa: E731
    body = UnifiedRoleAssignment(principal_id=identity.principal_id, role_definition_id=DIRECTORY_READERS, directory_scope_id="/")
    made = graph(lambda c: roles(c).post(body))
    assert made.id and made.principal_id == identity.principal_id and made.directory_scope_id == "/"
    parameters = RoleAssignmentsRequestBuilder.RoleAssignmentsRequestBuilderGetQueryParameters
    mine = query(parameters, filter=f"principalId eq '{identity.principal_id}'")
    assert [one.id for one in graph(lambda c: roles(c).get(mine)).value] == [made.id]
    graph.refused(
        lambda c: roles(c).post(body),
        400,
        "Request_BadRequest",
        "A conflicting object with one or more of the specified property values is present in the directory.",
    )
    graph(lambda c: roles(c).by_unified_role_assignment_id(made.id).delete())
    assert graph(lambda c: roles(c).get(mine)).value == []
    graph.refused(lambda c: roles(c).by_unified_role_assignment_id(made.id).get(), 404, "Request_ResourceNotFound")


def test_pages_go_on_until_there_is_no_link(graph, cloud, team):
    users = [ALICE, BOB, ROBOT, ENGINEERS]
    for guid in users:
        graph(lambda c, guid=guid: c.groups.by_group_id(team.id).members.ref.post(reference(cloud, guid)))
    seen, sizes = [], []
    page = graph(lambda c: c.groups.by_group_id(team.id).members.get(query(MEMBERS, top=3)))
    while True:
        seen += [one.id for one in page.value]
        sizes.append(len(page.value))
        if page.odata_next_link is None:
            break
        assert page.odata_next_link.startswith(f"{cloud.url}/v1.0/groups/{team.id}/members?") and "skiptoken" in page.odata_next_link
        link = page.odata_next_link
        page = graph(lambda c: c.groups.by_group_id(team.id).members.with_url(link).get())
    assert sorted(seen) == sorted(users) and sizes == [3, 1]
    with pytest.raises(ODataError) as caught:
        graph(lambda c: c.groups.get(query(GROUPS, top=1000)))
    assert caught.value.response_status_code == 400


def test_counts_and_advanced_queries_need_eventual_consistency(graph, team):
    rows = graph(lambda c: c.groups.get(query(GROUPS, eventual=True, count=True, filter=f"endswith(displayName,'{team.display_name[4:]}')")))
    assert [one.id for one in rows.value] == [team.id] and rows.odata_count == 1
    graph.refused(lambda c: c.groups.get(query(GROUPS, filter="endswith(displayName,'x')")), 400, "Request_UnsupportedQuery")
    graph.refused(lambda c: c.groups.get(query(GROUPS, filter="displayName ne 'x'")), 400, "Request_UnsupportedQuery")
    found = graph(lambda c: c.groups.get(query(GROUPS, eventual=True, count=True, search=f'"displayName:{team.display_name}"'))).value
    assert [one.id for one in found] == [team.id]
    options = query(MEMBERS)
    options.headers.add("ConsistencyLevel", "eventual")
    assert graph(lambda c: c.groups.by_group_id(ENGINEERS).members.count.get(options)) == 2
    members = graph(lambda c: c.service_principals.by_service_principal_id(ROBOT).member_of.graph_group.get(query(MEMBER_OF, eventual=True, count=True, filter="displayName eq 'engineers'")))
    assert [one.id for one in members.value] == [ENGINEERS]


def test_users_are_read_by_id_and_by_name(graph):
    for key in (ALICE, "alice@contoso.example"):
        one = graph(lambda c, key=key: c.users.by_user_id(key).get())
        assert (one.id, one.user_principal_name, one.display_name) == (ALICE, "alice@contoso.example", "Alice")
    assert {one.id for one in graph(lambda c: c.users.by_user_id(ALICE).member_of.get()).value} >= {ENGINEERS}


def test_the_organization_is_the_tenant(graph):
    rows = graph(lambda c: c.organization.get()).value
    assert [one.id for one in rows] == [TENANT] and rows[0].verified_domains


def test_batches_answer_each_request_for_itself(graph):
    nobody = str(uuid.uuid4())

    async def send(client):
        content = BatchRequestContent()
        for guid in (ROBOT, nobody):
            content.add_request_information(client.service_principals.by_service_principal_id(guid).to_get_request_information())
        return content.requests.values(), await client.batch.post(content)

    requests, answer = graph(send)
    statuses = {one.url.rsplit("/", 1)[1]: answer.get_response_by_id(one.id).status for one in requests}
    assert statuses == {ROBOT: 200, nobody: 404}
