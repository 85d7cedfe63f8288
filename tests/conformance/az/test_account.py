"""Signing in, and what one sees then."""

import tenant


def test_a_managed_identity_signs_in_and_sees_its_subscriptions(az):
    accounts = az("account", "list")
    assert {one["id"] for one in accounts} == {tenant.SUBSCRIPTION, tenant.OTHER_SUBSCRIPTION}
    assert {one["tenantId"] for one in accounts} == {tenant.TENANT}
    shown = az("account", "show")
    assert shown["user"]["type"] == "servicePrincipal"
    assert shown["environmentName"] == "Ferry"


def test_a_token_is_given_in_the_form_that_sdks_read(az):
    token = az("account", "get-access-token", "--scope", "https://management.azure.com//.default")
    assert token["tokenType"] == "Bearer"
    assert isinstance(token["expires_on"], int)
    assert token["tenant"] == tenant.TENANT


def test_a_service_principal_signs_in_with_a_secret(fresh):
    args = ["login", "--service-principal", "--username", tenant.DEPLOY_APP, "--password", "s3cret"]
    accounts = fresh(*args, "--tenant", tenant.TENANT)
    assert {one["id"] for one in accounts} == {tenant.SUBSCRIPTION, tenant.OTHER_SUBSCRIPTION}
    assert accounts[0]["user"] == {"name": tenant.DEPLOY_APP, "type": "servicePrincipal"}
    token = fresh("account", "get-access-token")
    assert token["subscription"] in {tenant.SUBSCRIPTION, tenant.OTHER_SUBSCRIPTION}


def test_a_tenant_that_is_none_is_told(fresh):
    nowhere = "9d5e0f4e-0000-4000-8000-000000000000"
    args = ["login", "--service-principal", "--username", tenant.DEPLOY_APP, "--password", "s", "--tenant", nowhere]
    assert "AADSTS90002" in fresh.fails(1, *args)
