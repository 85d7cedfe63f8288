"""azure-mgmt-resourcegraph: queries over the estate."""

import time

import pytest
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.msi import ManagedServiceIdentityClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.resourcegraph import ResourceGraphClient
from azure.mgmt.resourcegraph.models import FacetRequest, FacetRequestOptions, QueryRequest, QueryRequestOptions
from estate import ONLINE, OTHER_SUBSCRIPTION, PLATFORM, SUBSCRIPTION, TENANT
from helpers import unique

IDENTITIES = "resources | where type =~ 'Microsoft.ManagedIdentity/userAssignedIdentities'"


@pytest.fixture(scope="module")
def graph(cloud):
    return cloud.client(ResourceGraphClient)


@pytest.fixture(scope="module")
def estate_group(resources, msi):
    """A group with seven identities, two of them in another region."""
    name = unique("rg-graph-")
    resources.resource_groups.create_or_update(name, {"location": "westeurope", "tags": {"suite": name}})
    for n in range(7):
        place = "westeurope" if n < 5 else "northeurope"
        msi.user_assigned_identities.create_or_update(name, f"id-{n}", {"location": place, "tags": {"n": str(n)}})
    return name


def ask(graph, query, **options):
    scopes = {key: options.pop(key) for key in ("subscriptions", "management_groups", "facets") if key in options}
    scopes.setdefault("subscriptions", None if "management_groups" in scopes else [SUBSCRIPTION])
    return graph.resources(QueryRequest(query=query, options=QueryRequestOptions(**options) if options else None, **scopes))


def refused_query(call, detail):
    with pytest.raises(Exception) as caught:
        call()
    error = caught.value.error
    assert caught.value.status_code == 400 and error.code == "BadRequest"
    assert "timestamp = " in error.message and "correlationId = " in error.message
    assert detail in [one.code for one in error.details]


def test_rows_come_as_objects_with_the_columns_of_the_service(graph, estate_group):
    answer = ask(graph, f"{IDENTITIES} | where resourceGroup == '{estate_group}' | order by name asc")
    assert (answer.total_records, answer.count, answer.result_truncated, answer.skip_token) == (7, 7, "false", None)
    assert answer.facets == [] or answer.facets is None
    row = answer.data[0]
    assert row["name"] == "id-0" and row["type"] == "microsoft.managedidentity/userassignedidentities"
    assert (row["location"], row["subscriptionId"], row["tenantId"]) == ("westeurope", SUBSCRIPTION, TENANT)
    assert row["properties"]["principalId"] and row["tags"] == {"n": "0"}
    assert {"id", "kind", "managedBy", "sku", "plan", "identity", "zones", "extendedLocation"} <= set(row)


def test_rows_come_as_a_table_when_asked(graph, estate_group):
    answer = ask(
        graph,
        f"{IDENTITIES} | where resourceGroup == '{estate_group}' | project name, properties, n=toint(tags.n) | order by name asc",
        result_format="table",
    )
    assert [(column["name"], column["type"]) for column in answer.data["columns"]] == [("name", "string"), ("properties", "object"), ("n", "integer")]
    assert answer.data["rows"][3][0] == "id-3" and answer.data["rows"][3][2] == 3 and len(answer.data["rows"]) == 7


def test_pages_go_on_with_the_token(graph, estate_group):
    query = f"{IDENTITIES} | where resourceGroup == '{estate_group}' | project id, name | order by name asc"
    names, token, counts = [], None, []
    while True:
        answer = ask(graph, query, top=3, skip_token=token) if token else ask(graph, query, top=3)
        names += [row["name"] for row in answer.data]
        counts.append((answer.count, answer.total_records))
        token = answer.skip_token
        if not token:
            break
    assert names == [f"id-{n}" for n in range(7)] and counts == [(3, 7), (3, 7), (1, 7)]


def test_without_id_there_is_no_token_and_the_truncation_is_told(graph, estate_group):
    answer = ask(graph, f"{IDENTITIES} | where resourceGroup == '{estate_group}' | project name", top=3)
    assert (answer.count, answer.result_truncated, answer.skip_token) == (3, "true", None)


def test_skip_leaves_rows_out(graph, estate_group):
    answer = ask(graph, f"{IDENTITIES} | where resourceGroup == '{estate_group}' | project id, name | order by name asc", skip=5)
    assert [row["name"] for row in answer.data] == ["id-5", "id-6"]


def test_rows_are_counted_and_summed(graph, estate_group):
    answer = ask(graph, f"{IDENTITIES} | where resourceGroup == '{estate_group}' | summarize count() by location | order by location asc")
    assert [(row["location"], row["count_"]) for row in answer.data] == [("northeurope", 2), ("westeurope", 5)]
    assert ask(graph, f"{IDENTITIES} | where resourceGroup == '{estate_group}' | count").data == [{"Count": 7}]


def test_scopes_are_subscriptions_management_groups_or_the_tenant(graph, estate_group):
    query = f"{IDENTITIES} | where resourceGroup == '{estate_group}'"
    assert ask(graph, query, subscriptions=[OTHER_SUBSCRIPTION]).count == 0
    assert ask(graph, query, management_groups=[ONLINE]).count == 7
    assert ask(graph, query, management_groups=[PLATFORM]).count == 0
    assert ask(graph, query, subscriptions=None).count == 7


def test_containers_and_assignments_are_tables_too(graph, cloud, estate_group, msi):
    rows = ask(graph, f"resourcecontainers | where name == '{estate_group}'").data
    assert [row["type"] for row in rows] == ["microsoft.resources/subscriptions/resourcegroups"]
    row = ask(graph, "resourcecontainers | where type == 'microsoft.resources/subscriptions'").data[0]
    chain = row["properties"]["managementGroupAncestorsChain"]
    assert chain[0]["name"] == ONLINE and chain[-1]["name"] == TENANT
    principal = msi.user_assigned_identities.get(estate_group, "id-0").principal_id
    scope = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{estate_group}"
    role = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"
    made = cloud.client(AuthorizationManagementClient, SUBSCRIPTION).role_assignments.create(
        scope,
        "77777777-7777-4777-8777-777777777701",
        {"properties": {"principalId": principal, "roleDefinitionId": role, "principalType": "ServicePrincipal"}},
    )
    rows = ask(
        graph,
        f"""authorizationresources
        | where type =~ 'microsoft.authorization/roleassignments' and tostring(properties.principalId) == '{principal}'
        | extend role = tolower(tostring(properties.roleDefinitionId))
        | join kind=leftouter (authorizationresources
            | where type =~ 'microsoft.authorization/roledefinitions'
            | project role = tolower(id), title = tostring(properties.roleName)) on role
        | project id, scope = tostring(properties.scope), role, title""",
    ).data
    assert [(row["scope"], row["title"]) for row in rows] == [(scope, "Reader")] and rows[0]["id"].lower() == made.id.lower()
    assert rows[0]["role"] == "/providers/microsoft.authorization/roledefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"


def test_users_of_an_identity_are_found(graph, cloud, estate_group, msi):
    identity = msi.user_assigned_identities.get(estate_group, "id-1")
    made = cloud.client(ComputeManagementClient, SUBSCRIPTION).disk_encryption_sets.begin_create_or_update(
        estate_group, unique("des-"), {"location": "westeurope", "identity": {"type": "UserAssigned", "userAssignedIdentities": {identity.id: {}}}}
    ).result()
    query = f"""resources
    | where isnotempty(identity.userAssignedIdentities)
    | mv-expand key = bag_keys(identity.userAssignedIdentities)
    | where tolower(tostring(key)) == tolower('{identity.id}')
    | project id, type, location"""
    assert [row["id"] for row in ask(graph, query).data] == [made.id]
    assert ask(graph, f"resources | where identity has '{identity.id}' | project id").count == 1


def test_facets_count_beside_the_rows(graph, estate_group):
    answer = ask(
        graph,
        f"{IDENTITIES} | where resourceGroup == '{estate_group}' | project id, location",
        facets=[FacetRequest(expression="location", options=FacetRequestOptions(sort_by="count", sort_order="desc", top=1)), FacetRequest(expression="nosuchcolumn")],
    )
    good, bad = answer.facets
    assert (good.expression, good.total_records, good.count) == ("location", 2, 1)
    assert good.data == [{"location": "westeurope", "count": 5}]
    assert bad.expression == "nosuchcolumn" and bad.errors


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("resources | wher type == 'x'", "InvalidQuery"),
        ("resources | where", "InvalidQuery"),
        ("identityresources", "DisallowedLogicalTableName"),
        ("resources | where nosuchcolumn == 1", "InvalidQuery"),
        ("resources | evaluate bag_unpack(tags)", "InvalidQuery"),
        ("", "InvalidQuery"),
    ],
)
def test_bad_queries_are_refused_in_azures_form(graph, query, detail):
    if not query:
        with pytest.raises(Exception) as caught:
            ask(graph, query)
        assert caught.value.status_code == 400 and caught.value.error.code
        return
    refused_query(lambda: ask(graph, query), detail)


def test_a_page_has_at_most_a_thousand_rows(graph):
    with pytest.raises(Exception) as caught:
        graph.resources({"subscriptions": [SUBSCRIPTION], "query": "resources", "options": {"$top": 1001}})
    assert caught.value.status_code == 400 and caught.value.error.code == "BadRequest"


def test_every_answer_tells_the_quota(graph):
    seen = {}
    graph.resources(QueryRequest(query="resources | take 1", subscriptions=[SUBSCRIPTION]), raw_response_hook=lambda answer: seen.update(answer.http_response.headers))
    assert int(seen["x-ms-user-quota-remaining"]) >= 0 and seen["x-ms-user-quota-resets-after"].count(":") == 2


def test_the_operations_are_listed(graph):
    assert any(row.name == "Microsoft.ResourceGraph/resources/read" for row in graph.operations.list())


def test_a_write_shows_late(slow_cloud):
    resources = slow_cloud.client(ResourceManagementClient, SUBSCRIPTION)
    resources.resource_groups.create_or_update("rg-lag", {"location": "westeurope"})
    name = unique("id-")
    slow_cloud.client(ManagedServiceIdentityClient, SUBSCRIPTION).user_assigned_identities.create_or_update("rg-lag", name, {"location": "westeurope"})
    graph = slow_cloud.client(ResourceGraphClient)
    query = f"resources | where name == '{name}' | project id"
    assert ask(graph, query).count == 0
    end = time.monotonic() + 20
    while ask(graph, query).count == 0:
        assert time.monotonic() < end, "it never shows"
        time.sleep(0.1)
