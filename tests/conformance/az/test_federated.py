"""Federated identity credentials."""

import pytest

ON = ["--identity-name", "id-spare", "--resource-group", "rg-shop"]
GITHUB = "https://token.actions.githubusercontent.com"


def credential(az, verb, name, *more):
    return az("identity", "federated-credential", verb, "--name", name, *ON, *more)


def trust(subject, issuer=GITHUB):
    return ["--issuer", issuer, "--subject", subject, "--audiences", "api://AzureADTokenExchange"]


def test_a_credential_is_made_changed_listed_and_deleted(az):
    made = credential(az, "create", "gh-main", *trust("repo:contoso/shop:ref:refs/heads/main"))
    assert made["type"] == "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials"
    assert made["audiences"] == ["api://AzureADTokenExchange"]
    assert "/resourcegroups/rg-shop/" in made["id"]
    changed = credential(az, "update", "gh-main", *trust("repo:contoso/shop:environment:prod"))
    assert changed["subject"] == "repo:contoso/shop:environment:prod"
    assert credential(az, "show", "gh-main")["subject"] == "repo:contoso/shop:environment:prod"
    listed = az("identity", "federated-credential", "list", *ON)
    assert [one["name"] for one in listed] == ["gh-main"]
    credential(az, "delete", "gh-main", "--yes")
    assert az("identity", "federated-credential", "list", *ON) == []


def test_issuer_and_subject_are_unique_on_an_identity(az):
    credential(az, "create", "one", *trust("system:serviceaccount:shop:web", "https://oidc.example/1/"))
    args = ["--name", "two", *ON, *trust("system:serviceaccount:shop:web", "https://oidc.example/1/")]
    said = az.fails(1, "identity", "federated-credential", "create", *args)
    assert "Issuer and subject combination already exists for this Managed Identity." in said
    # Without the slash it is another issuer.
    credential(az, "create", "three", *trust("system:serviceaccount:shop:web", "https://oidc.example/1"))


@pytest.mark.parametrize("name", ["ab", "-starts", "a.b"])
def test_a_bad_name_is_refused(az, name):
    args = [f"--name={name}", *ON, *trust("repo:contoso/x:ref:refs/heads/main")]
    said = az.fails(1, "identity", "federated-credential", "create", *args)
    assert f"Federated Identity Credential name '{name}' is invalid." in said


def test_there_is_exactly_one_audience(az):
    args = ["--name", "many", *ON, "--issuer", GITHUB, "--subject", "s", "--audiences", "api://A", "api://B"]
    said = az.fails(1, "identity", "federated-credential", "create", *args)
    assert "Federated identity credentials must have exactly one audience." in said


def test_a_credential_that_is_not_there_is_told(az):
    args = ["--name", "nothing", *ON]
    az.fails(3, "identity", "federated-credential", "show", *args)
    args = ["--name", "nothing", "--identity-name", "id-nowhere", "--resource-group", "rg-shop", *trust("s")]
    said = az.fails(3, "identity", "federated-credential", "create", *args)
    assert "The parent user-assigned identity doesn't exist." in said or "ParentResourceNotFound" in said
