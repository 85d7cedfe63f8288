"""Locks."""

import tenant


def test_a_lock_keeps_what_is_below_it(az):
    made = az("lock", "create", "--name", "keep", "--lock-type", "CanNotDelete", "--resource-group", "rg-shop-east")
    assert made["level"] == "CanNotDelete"
    az("identity", "create", "--name", "id-kept", "--resource-group", "rg-shop-east")
    said = az.fails(1, "identity", "delete", "--name", "id-kept", "--resource-group", "rg-shop-east")
    assert "(ScopeLocked)" in said and "cannot perform delete operation" in said
    az("lock", "update", "--name", "keep", "--lock-type", "ReadOnly", "--resource-group", "rg-shop-east")
    said = az.fails(1, "identity", "create", "--name", "id-more", "--resource-group", "rg-shop-east")
    assert "(ScopeLocked)" in said and "cannot perform write operation" in said
    az("lock", "delete", "--name", "keep", "--resource-group", "rg-shop-east")
    az("identity", "delete", "--name", "id-kept", "--resource-group", "rg-shop-east")


def test_locks_are_listed_shown_and_missed(az):
    on_vault = ["--resource-group", "rg-shop", "--resource-name", "kv-shop"]
    on_vault += ["--resource-type", "Microsoft.KeyVault/vaults"]
    made = az("lock", "create", "--name", "vault", "--lock-type", "CanNotDelete", "--notes", "audited", *on_vault)
    assert made["notes"] == "audited"
    assert made["id"].lower().startswith(tenant.VAULT.lower())
    assert [one["name"] for one in az("lock", "list", "--resource-group", "rg-shop")] == ["vault"]
    assert az("lock", "show", "--ids", made["id"])["level"] == "CanNotDelete"
    az("lock", "delete", "--ids", made["id"])
    az.fails(3, "lock", "show", "--ids", made["id"])
