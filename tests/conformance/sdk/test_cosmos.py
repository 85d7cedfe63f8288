"""azure-mgmt-cosmosdb: accounts, and the data roles that are another system."""

import uuid

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.cosmosdb import CosmosDBManagementClient
from estate import SUBSCRIPTION
from helpers import refused, unique

SUB = f"/subscriptions/{SUBSCRIPTION}"
READER, CONTRIBUTOR = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"


@pytest.fixture(scope="module")
def cosmos(cloud):
    return cloud.client(CosmosDBManagementClient, SUBSCRIPTION)


@pytest.fixture(scope="module")
def account(cosmos, group):
    body = {
        "location": "westeurope",
        "kind": "GlobalDocumentDB",
        "identity": {"type": "SystemAssigned"},
        "properties": {"databaseAccountOfferType": "Standard", "locations": [{"locationName": "westeurope", "failoverPriority": 0}]},
    }
    return cosmos.database_accounts.begin_create_or_update(group, unique("cosmos-"), body).result()


def keys(resource):
    return {key.lower() for key in (resource.identity.user_assigned_identities or {})}


def test_an_account_is_whole(cosmos, group, account):
    assert account.id == f"{SUB}/resourceGroups/{group}/providers/Microsoft.DocumentDB/databaseAccounts/{account.name}"
    assert account.type == "Microsoft.DocumentDB/databaseAccounts" and account.kind == "GlobalDocumentDB"
    assert account.provisioning_state == "Succeeded" and account.document_endpoint == f"https://{account.name}.documents.azure.com:443/"
    assert account.database_account_offer_type == "Standard" and account.default_identity == "FirstPartyIdentity"
    assert account.consistency_policy.default_consistency_level == "Session" and uuid.UUID(account.instance_id)
    assert account.disable_local_auth is False and account.public_network_access == "Enabled"
    assert [place.location_name for place in account.locations] and account.write_locations and account.read_locations
    assert uuid.UUID(account.identity.principal_id) and account.identity.type == "SystemAssigned"
    assert cosmos.database_accounts.get(group, account.name).id == account.id
    assert account.id in {row.id for row in cosmos.database_accounts.list()} & {row.id for row in cosmos.database_accounts.list_by_resource_group(group)}


def test_keys_are_shown_by_post_and_are_not_in_the_account(cosmos, group, account):
    found = cosmos.database_accounts.list_keys(group, account.name)
    assert len({found.primary_master_key, found.secondary_master_key, found.primary_readonly_master_key, found.secondary_readonly_master_key}) == 4
    assert all((found.primary_master_key, found.secondary_master_key, found.primary_readonly_master_key, found.secondary_readonly_master_key))
    read = cosmos.database_accounts.list_read_only_keys(group, account.name)
    assert read.primary_readonly_master_key == found.primary_readonly_master_key
    strings = cosmos.database_accounts.list_connection_strings(group, account.name).connection_strings
    assert strings[0].connection_string.startswith("AccountEndpoint=https://") and strings[0].description
    assert found.primary_master_key not in str(cosmos.database_accounts.get(group, account.name).as_dict())


def test_identities_are_merged_by_patch(cosmos, msi, group, account, identity):
    other = msi.user_assigned_identities.create_or_update(group, unique("id-"), {"location": "westeurope"})
    update = cosmos.database_accounts.begin_update
    one = update(group, account.name, {"identity": {"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": {identity.id: {}}}}).result()
    assert one.identity.type == "SystemAssigned,UserAssigned" and keys(one) == {identity.id.lower()}
    chosen = update(group, account.name, {"properties": {"defaultIdentity": f"UserAssignedIdentity={identity.id}"}}).result()
    assert chosen.default_identity == f"UserAssignedIdentity={identity.id}"
    both = update(group, account.name, {"identity": {"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": {other.id: {}}}}).result()
    assert keys(both) == {identity.id.lower(), other.id.lower()}
    with pytest.raises(HttpResponseError) as caught:
        update(group, account.name, {"identity": {"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": {identity.id: None}}})
    assert caught.value.status_code == 400
    update(group, account.name, {"properties": {"defaultIdentity": "FirstPartyIdentity"}}).result()
    left = update(group, account.name, {"identity": {"type": "SystemAssigned"}}).result()
    assert left.identity.type == "SystemAssigned" and not left.identity.user_assigned_identities


def role(account, guid):
    return f"{account.id}/sqlRoleDefinitions/{guid}"


def test_every_account_has_the_two_data_roles(cosmos, group, account):
    rows = {row.name: row for row in cosmos.sql_resources.list_sql_role_definitions(group, account.name)}
    assert {READER, CONTRIBUTOR} <= set(rows)
    one = cosmos.sql_resources.get_sql_role_definition(CONTRIBUTOR, group, account.name)
    assert one.role_name == "Cosmos DB Built-in Data Contributor" and one.properties.type == "BuiltInRole"
    assert one.id == role(account, CONTRIBUTOR) and one.assignable_scopes == [account.id]
    assert "Microsoft.DocumentDB/databaseAccounts/readMetadata" in one.permissions[0].data_actions
    assert rows[READER].role_name == "Cosmos DB Built-in Data Reader"


def test_a_data_role_is_assigned_and_taken(cosmos, group, account, identity):
    sql, name = cosmos.sql_resources, str(uuid.uuid4())
    body = {"properties": {"roleDefinitionId": role(account, CONTRIBUTOR), "scope": account.id, "principalId": identity.principal_id}}
    made = sql.begin_create_update_sql_role_assignment(name, group, account.name, body).result()
    assert made.id == f"{account.id}/sqlRoleAssignments/{name}" and made.name == name
    assert made.type == "Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments"
    assert (made.role_definition_id, made.scope, made.principal_id) == (role(account, CONTRIBUTOR), account.id, identity.principal_id)
    assert sql.get_sql_role_assignment(name, group, account.name).as_dict() == made.as_dict()
    assert name in {row.name for row in sql.list_sql_role_assignments(group, account.name)}
    sql.begin_delete_sql_role_assignment(name, group, account.name).result()
    with pytest.raises(HttpResponseError) as caught:
        sql.get_sql_role_assignment(name, group, account.name)
    assert caught.value.status_code == 404 and caught.value.error.code in ("NotFound", "ResourceNotFound")


@pytest.mark.parametrize("change", [{"roleDefinitionId": None}, {"principalId": None}, {"scope": None}])
def test_bad_assignments_of_data_roles_are_refused(cosmos, group, account, identity, change):
    properties = {"roleDefinitionId": role(account, READER), "scope": account.id, "principalId": identity.principal_id, **change}
    with pytest.raises(HttpResponseError) as caught:
        cosmos.sql_resources.begin_create_update_sql_role_assignment(
            str(uuid.uuid4()), group, account.name, {"properties": {key: value for key, value in properties.items() if value}}
        ).result()
    assert caught.value.status_code == 400 and caught.value.error.code == "BadRequest"


def test_a_data_role_of_ones_own(cosmos, group, account):
    sql, guid = cosmos.sql_resources, str(uuid.uuid4())
    body = {
        "properties": {
            "roleName": unique("reader-"),
            "type": "CustomRole",
            "assignableScopes": [account.id],
            "permissions": [{"dataActions": ["Microsoft.DocumentDB/databaseAccounts/readMetadata"], "notDataActions": []}],
        }
    }
    made = sql.begin_create_update_sql_role_definition(guid, group, account.name, body).result()
    assert made.id == role(account, guid) and made.properties.type == "CustomRole"
    assert guid in {row.name for row in sql.list_sql_role_definitions(group, account.name)}
    sql.begin_delete_sql_role_definition(guid, group, account.name).result()
    with pytest.raises(HttpResponseError) as caught:
        sql.get_sql_role_definition(guid, group, account.name)
    assert caught.value.status_code == 404


def test_names_are_asked_by_head(cosmos, account):
    assert cosmos.database_accounts.check_name_exists(account.name) is True
    assert cosmos.database_accounts.check_name_exists(unique("cosmos-")) is False


def test_databases_below_an_account(cosmos, group, account):
    made = cosmos.sql_resources.begin_create_update_sql_database(group, account.name, "shop", {"properties": {"resource": {"id": "shop"}, "options": {}}}).result()
    assert made.name == "shop" and made.resource.id == "shop"
    assert [row.name for row in cosmos.sql_resources.list_sql_databases(group, account.name)] == ["shop"]
    cosmos.sql_resources.begin_delete_sql_database(group, account.name, "shop").result()
    assert list(cosmos.sql_resources.list_sql_databases(group, account.name)) == []


def test_an_account_is_deleted(cosmos, group):
    name = unique("cosmos-")
    cosmos.database_accounts.begin_create_or_update(
        group, name, {"location": "westeurope", "properties": {"databaseAccountOfferType": "Standard", "locations": [{"locationName": "westeurope"}]}}
    ).result()
    cosmos.database_accounts.begin_delete(group, name).result()
    with refused(404, "ResourceNotFound"):
        cosmos.database_accounts.get(group, name)
