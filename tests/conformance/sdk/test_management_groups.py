"""azure-mgmt-managementgroups: the tree above subscriptions."""

import pytest
from azure.mgmt.managementgroups import ManagementGroupsMgmtClient
from estate import ONLINE, OTHER_SUBSCRIPTION, PLATFORM, SUBSCRIPTION, TENANT, WORKLOADS
from helpers import refused, taken, unique

PREFIX = "/providers/Microsoft.Management/managementGroups"


@pytest.fixture(scope="module")
def client(cloud):
    return cloud.client(ManagementGroupsMgmtClient)


@pytest.fixture
def groups(client):
    return client.management_groups


def test_the_tree_is_listed(groups):
    rows = {row.name: row for row in groups.list()}
    assert {TENANT, PLATFORM, WORKLOADS, ONLINE} <= set(rows)
    row = rows[WORKLOADS]
    assert (row.id, row.type, row.display_name, row.tenant_id) == (f"{PREFIX}/{WORKLOADS}", "Microsoft.Management/managementGroups", "Workloads", TENANT)


def test_a_group_is_shown_with_its_parent_and_with_children_only_when_asked(groups):
    row = groups.get(WORKLOADS)
    assert (row.name, row.display_name, row.tenant_id) == (WORKLOADS, "Workloads", TENANT)
    assert row.details.parent.id == f"{PREFIX}/{TENANT}" and row.details.parent.display_name == "Tenant Root Group"
    assert row.details.version and row.details.updated_time and row.details.updated_by
    assert row.children is None
    assert groups.get(TENANT).details.parent is None or groups.get(TENANT).details.parent.id is None
    children = groups.get(WORKLOADS, expand="children").children
    assert [(child.name, child.type, child.display_name) for child in children] == [(ONLINE, "Microsoft.Management/managementGroups", "Online")]
    assert children[0].children is None
    deep = groups.get(WORKLOADS, expand="children", recurse=True).children
    assert [(child.name, child.type) for child in deep[0].children] == [(SUBSCRIPTION, "/subscriptions")]
    assert deep[0].children[0].id == f"/subscriptions/{SUBSCRIPTION}" and deep[0].children[0].display_name == "Contoso Production"


def test_ancestors_and_path_are_told_when_asked(groups):
    details = groups.get(ONLINE, expand="ancestors").details
    assert details.management_group_ancestors == [WORKLOADS, TENANT]
    assert [(one.name, one.display_name) for one in details.management_group_ancestors_chain] == [(WORKLOADS, "Workloads"), (TENANT, "Tenant Root Group")]
    path = groups.get(ONLINE, expand="path").details.path
    assert [one.name for one in path] == [TENANT, WORKLOADS]


def test_a_group_is_made_changed_moved_and_deleted(groups):
    name = unique("mg-")
    seen = []

    def look(answer):
        seen.append((answer.http_response.status_code, dict(answer.http_response.headers)))

    made = groups.begin_create_or_update(name, {"properties": {"displayName": "New"}}, raw_response_hook=look).result()
    assert seen[0][0] == 202
    headers = {key.lower(): value for key, value in seen[0][1].items()}
    assert f"/providers/Microsoft.Management/operationResults/create/managementGroups/{name}" in headers["location"]
    assert made.id == f"{PREFIX}/{name}" and made.display_name == "New" and made.details.parent.name == TENANT
    assert groups.get(name).display_name == "New"
    moved = groups.update(name, {"displayName": "Newer", "parentGroupId": f"{PREFIX}/{PLATFORM}"})
    assert moved.display_name == "Newer" and moved.details.parent.name == PLATFORM
    assert groups.begin_delete(name).result() is None
    with refused(404, "NotFound"):
        groups.get(name)


def test_a_new_group_below_another(groups):
    name = unique("mg-")
    made = groups.begin_create_or_update(
        name, {"name": name, "properties": {"displayName": "Leaf", "details": {"parent": {"id": f"{PREFIX}/{PLATFORM}"}}}}
    ).result()
    assert made.details.parent.id == f"{PREFIX}/{PLATFORM}"
    with refused(400, "BadRequest"):
        groups.begin_delete(WORKLOADS)
    groups.begin_delete(name).result()


def test_groups_that_are_not_there(groups, client):
    for call in (
        lambda: groups.get("mg-nowhere"),
        lambda: list(groups.get_descendants("mg-nowhere")),
        lambda: groups.update("mg-nowhere", {"displayName": "x"}),
        lambda: client.management_group_subscriptions.create("mg-nowhere", SUBSCRIPTION),
    ):
        with refused(404, "NotFound"):
            call()


def test_descendants_are_all_that_lies_below_in_pages(groups):
    rows = {row.name: row for row in groups.get_descendants(TENANT)}
    assert {PLATFORM, WORKLOADS, ONLINE, SUBSCRIPTION, OTHER_SUBSCRIPTION} <= set(rows)
    leaf = rows[SUBSCRIPTION]
    assert (leaf.type, leaf.id, leaf.parent.id) == ("Microsoft.Management/managementGroups/subscriptions", f"/subscriptions/{SUBSCRIPTION}", f"{PREFIX}/{ONLINE}")
    assert leaf.display_name == "Contoso Production"
    assert rows[ONLINE].type == "Microsoft.Management/managementGroups" and rows[ONLINE].parent.id == f"{PREFIX}/{WORKLOADS}"
    pages = [len(list(page)) for page in groups.get_descendants(TENANT, top=2).by_page()]
    assert sum(pages) == len(rows) and max(pages) == 2


def test_entities_are_what_the_caller_sees(client):
    rows = {row.name: row for row in client.entities.list()}
    leaf = rows[SUBSCRIPTION]
    assert (leaf.type, leaf.display_name, leaf.tenant_id) == ("/subscriptions", "Contoso Production", TENANT)
    assert leaf.parent.id == f"{PREFIX}/{ONLINE}" and leaf.parent_display_name_chain and leaf.parent_name_chain == [TENANT, WORKLOADS, ONLINE]
    assert leaf.permissions and leaf.inherited_permissions
    root = rows[TENANT]
    assert root.number_of_children is not None and root.number_of_child_groups is not None and root.number_of_descendants is not None
    one = list(client.entities.list(filter=f"name eq '{ONLINE}'"))
    assert [row.name for row in one] == [ONLINE]


def test_subscriptions_are_moved_between_groups(client):
    subscriptions = client.management_group_subscriptions
    assert [row.name for row in subscriptions.get_subscriptions_under_management_group(PLATFORM)] == [OTHER_SUBSCRIPTION]
    row = subscriptions.get_subscription(PLATFORM, OTHER_SUBSCRIPTION)
    assert row.id == f"{PREFIX}/{PLATFORM}/subscriptions/{OTHER_SUBSCRIPTION}"
    assert (row.display_name, row.tenant, row.state) == ("Contoso Platform", TENANT, "Active")
    moved = subscriptions.create(WORKLOADS, OTHER_SUBSCRIPTION)
    assert moved.parent.id == f"{PREFIX}/{WORKLOADS}"
    assert list(subscriptions.get_subscriptions_under_management_group(PLATFORM)) == []
    with refused(404, "NotFound"):
        subscriptions.get_subscription(PLATFORM, OTHER_SUBSCRIPTION)
    status, *_ = subscriptions.delete(WORKLOADS, OTHER_SUBSCRIPTION, cls=taken)
    assert status == 200
    assert [row.name for row in subscriptions.get_subscriptions_under_management_group(TENANT)] == [OTHER_SUBSCRIPTION]
    subscriptions.create(PLATFORM, OTHER_SUBSCRIPTION)


def test_names_are_checked(client):
    kind = "Microsoft.Management/managementGroups"
    assert client.check_name_availability({"name": unique("mg-"), "type": kind}).name_available is True
    taken_name = client.check_name_availability({"name": ONLINE, "type": kind})
    assert taken_name.name_available is False and taken_name.reason == "AlreadyExists" and taken_name.message
