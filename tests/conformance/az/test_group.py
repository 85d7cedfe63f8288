"""Resource groups."""


def test_a_group_is_made_changed_and_found(az, simulator):
    made = az("group", "create", "--name", "rg-new", "--location", "northeurope", "--tags", "team=shop")
    assert made["properties"]["provisioningState"] == "Succeeded"
    assert made["type"] == "Microsoft.Resources/resourceGroups"
    changed = az("group", "update", "--name", "rg-new", "--set", "tags.cost=low")
    assert changed["tags"] == {"team": "shop", "cost": "low"}
    assert [one["name"] for one in az("group", "list", "--tag", "team=shop")] == ["rg-new"]
    assert az("group", "exists", "--name", "RG-NEW") is True
    assert simulator.document(made["id"])["tags"] == {"team": "shop", "cost": "low"}


def test_a_group_stays_in_its_region(az):
    said = az.fails(1, "group", "create", "--name", "rg-shop", "--location", "eastus")
    assert "InvalidResourceGroupLocation" in said
    assert "already exists in location 'westeurope'" in said


def test_a_group_that_is_not_there_is_told(az):
    said = az.fails(3, "group", "show", "--name", "rg-nowhere")
    assert "(ResourceGroupNotFound)" in said
    assert az("group", "exists", "--name", "rg-nowhere") is False


def test_deleting_a_group_waits_for_its_end(az, simulator):
    az("group", "create", "--name", "rg-gone", "--location", "westeurope")
    az("identity", "create", "--name", "id-gone", "--resource-group", "rg-gone")
    az("group", "delete", "--name", "rg-gone", "--yes")
    assert az("group", "exists", "--name", "rg-gone") is False
    assert "id-gone" not in str(simulator.estate()["arm"])
