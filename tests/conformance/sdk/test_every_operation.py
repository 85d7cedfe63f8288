"""Every operation of every client, sent with made-up names: each is answered in Azure's form, whatever the answer is."""

import importlib
import inspect
import pkgutil

import pytest
import requests
from estate import SUBSCRIPTION
from helpers import unique

PACKAGES = [
    "appcontainers",
    "authorization",
    "compute",
    "containerservice",
    "cosmosdb",
    "keyvault",
    "managementgroups",
    "msi",
    "resource.locks",
    "resource.resources",
    "resource.subscriptions",
    "resourcegraph",
    "storage",
    "subscription",
    "web",
]
KNOWN = {"subscription_id": SUBSCRIPTION, "scope": f"subscriptions/{SUBSCRIPTION}", "location": "westeurope"}


def builders(package):
    """The functions of a package that build requests, those of older versions too."""
    root = importlib.import_module(f"azure.mgmt.{package}")
    found = {}
    for module in pkgutil.walk_packages(root.__path__, root.__name__ + "."):
        if ".aio" in module.name or not module.name.endswith("operations"):
            continue
        for name, function in inspect.getmembers(importlib.import_module(module.name), inspect.isfunction):
            if name.startswith("build_") and name.endswith("_request"):
                found[(function.__module__, name)] = function
    return list(found.values())


def request(function, group):
    """What a function builds of names that nothing has."""
    values = {}
    for name, parameter in inspect.signature(function).parameters.items():
        needed = parameter.default is inspect.Parameter.empty and parameter.kind is not inspect.Parameter.VAR_KEYWORD
        if needed:
            values[name] = KNOWN.get(name, group if name == "resource_group_name" else "made-up-1")
            if parameter.annotation in ("int", int):
                values[name] = 1
            elif parameter.annotation in ("bool", bool):
                values[name] = True
    try:
        return function(**values)
    except (ValueError, TypeError, AttributeError):
        # The client refuses made-up values by itself.
        return None


@pytest.mark.parametrize("package", PACKAGES)
def test_every_operation_is_answered_in_azures_form(cloud, resources, package):
    group = unique("rg-every-")
    resources.resource_groups.create_or_update(group, {"location": "westeurope"})
    session = requests.Session()
    session.headers["Authorization"] = "Bearer conformance"
    sent, wrong = 0, []
    for function in builders(package):
        built = request(function, group)
        # Nothing that would take the estate away from the other tests of this file.
        if built is None or (built.method == "DELETE" and built.url.rstrip("/").lower().endswith(f"/resourcegroups/{group}")):
            continue
        body = {"location": "westeurope", "properties": {}} if built.method in ("PUT", "PATCH", "POST") else None
        url = cloud.url + "/" + built.url.lstrip("/")
        answer = session.request(built.method, url, json=body, headers={"Accept": "application/json"}, verify=cloud.ca, timeout=60)
        sent += 1
        told = f"{function.__module__.split('.mgmt.')[1]}.{function.__name__}: {built.method} {built.url.split('?')[0]}"
        if answer.status_code >= 500 and answer.status_code != 501:
            wrong.append(f"{told}: {answer.status_code}")
        elif answer.status_code >= 400 and built.method != "HEAD":
            error = answer.json().get("error", {}) if "json" in answer.headers.get("content-type", "") else {}
            if not (error.get("code") and error.get("message")):
                wrong.append(f"{told}: {answer.status_code} {answer.text[:100]}")
        elif answer.status_code not in (200, 201, 202, 204) and built.method != "HEAD":
            wrong.append(f"{told}: {answer.status_code}")
    assert sent > 3
    assert not wrong, "\n".join(wrong)
