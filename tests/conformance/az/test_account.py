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
