#!/usr/bin/env python3
"""Proves that an estate is consistent: every scope, parent, principal, role and identity that it names is there.

    check_estate.py FILE…      (`-` is standard input)

Prints what is wrong, one line each, and exits 1; prints a summary and exits 0 where nothing is. Python 3.11,
standard library only; knows nothing of Ferry's code.
"""
import json
import re
import sys
from collections import Counter
from pathlib import Path

sys.dont_write_bytecode = True
from random_estate import ROLES  # noqa: E402

GUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
GUID4 = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
ID_IN_TEXT = re.compile(r"/subscriptions/[0-9a-fA-F-]{36}(?:/[A-Za-z0-9._()-]+)*")
# The roles of the random estates, and those that the simulator of this repository knows beside them.
KNOWN = Path(__file__).resolve().parents[2] / "src/sim/data/roles.toml"
BUILT_IN = set(ROLES.values()) | (set(re.findall(r'^guid = "([0-9a-f-]+)"', KNOWN.read_text(), re.M)) if KNOWN.exists() else set())
UAMI = "microsoft.managedidentity/userassignedidentities"
ASSIGNMENT = "microsoft.authorization/roleassignments"
MANAGEMENT_GROUP = "microsoft.management/managementgroups"
GRAPH_LISTS = {"users", "groups", "servicePrincipals", "applications", "directoryRoles", "appRoleAssignments",
               "roleManagement", "signIns", "oauth2PermissionGrants", "administrativeUnits", "assignments", "policies", "entitlementManagementRoles", "deviceManagementRoles", "cloudPcRoles",
               "roleAssignmentScheduleInstances", "roleEligibilityScheduleInstances", "assignmentScheduleInstances",
               "eligibilityScheduleInstances"}
REGIONS = set("""eastus eastus2 westus westus2 westus3 centralus northcentralus southcentralus westcentralus canadacentral
canadaeast brazilsouth northeurope westeurope uksouth ukwest francecentral germanywestcentral switzerlandnorth norwayeast
swedencentral polandcentral italynorth spaincentral uaenorth southafricanorth centralindia southindia eastasia southeastasia
japaneast japanwest koreacentral australiaeast australiasoutheast global""".split())


class BadId(ValueError):
    """Not the id of anything in Resource Manager."""


def segments(text):
    """The id's (container segments, [extension pairs…]) with every part checked to be whole."""
    if not text.startswith("/") or text.endswith("/") or "//" in text:
        raise BadId(text)
    parts = text[1:].split("/")
    at = 0
    if parts[0].lower() == "subscriptions":
        at = 4 if len(parts) > 2 and parts[2].lower() == "resourcegroups" else 2
        if len(parts) < at:
            raise BadId(text)
    blocks = []
    while at < len(parts):
        if parts[at].lower() != "providers":
            raise BadId(text)
        end = at + 1
        while end < len(parts) and not (parts[end].lower() == "providers" and (end - at) % 2 == 0):
            end += 1
        if end - at < 4 or (end - at) % 2:
            raise BadId(text)
        blocks.append((at, end))
        at = end
    return parts, blocks


def type_of(text):
    parts, blocks = segments(text)
    if not blocks:
        return "Microsoft.Resources/" + ("resourceGroups" if len(parts) >= 4 else "subscriptions")
    at, end = blocks[-1]
    return "/".join([parts[at + 1], *parts[at + 2:end:2]])


def parent_of(text):
    """What must be there before `text` can be: container, parent resource or extended resource; None at the root."""
    parts, blocks = segments(text)
    keep = len(parts) - 2
    if blocks:
        at, end = blocks[-1]
        keep = end - 2 if end - at > 4 else at
    return "/" + "/".join(parts[:keep]) if keep else None


def top_level(text):
    """The id down to its first resource, without children and extensions."""
    parts, blocks = segments(text)
    return "/" + "/".join(parts[:blocks[0][0] + 4]) if blocks else text


def strings(value, path=""):
    """Every string of a document, keys included, with where it stands."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{path}/{key}", key
            yield from strings(inner, f"{path}/{key}")
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from strings(inner, f"{path}/{n}")
    elif isinstance(value, str):
        yield path, value


class Checker:
    def __init__(self, estate):
        self.estate, self.wrong = estate, []
        self.docs = estate["arm"]["resources"]
        self.by_id = {d["id"].lower(): d for d in self.docs}
        self.graph = estate.get("graph", {})
        self.identities = {k: d for k, d in self.by_id.items() if d["type"].lower() == UAMI}

    def say(self, where, what):
        self.wrong.append(f"{where}: {what}")

    def need(self, ok, where, what):
        if not ok:
            self.say(where, what)
        return ok

    def run(self):
        self.tops()
        for doc in self.docs:
            try:
                self.document(doc)
            except BadId as error:
                self.say(doc["id"], f"not a well-formed id: {error}")
            except (KeyError, TypeError, AttributeError) as error:
                self.say(doc["id"], f"not shaped like its type: {error!r}")
        self.principals()
        self.assignments()
        self.directory()
        self.demo()
        return self.wrong

    def tops(self):
        extra = set(self.estate) - {"tenantId", "operator", "arm", "graph", "data", "demo"}
        self.need(not extra, "estate", f"unknown members {sorted(extra)}")
        self.need(not (set(self.graph) - GRAPH_LISTS), "graph", f"unknown lists {sorted(set(self.graph) - GRAPH_LISTS)}")
        self.need(GUID4.match(self.estate["tenantId"]), "tenantId", "is no version 4 GUID")
        for key, count in Counter(d["id"].lower() for d in self.docs).items():
            self.need(count == 1, key, f"{count} documents have this id")
        root = f"/providers/Microsoft.Management/managementGroups/{self.estate['tenantId']}".lower()
        self.need(root in self.by_id, "estate", "the tenant's root management group is missing")

    def document(self, doc):
        where, kind = doc["id"], type_of(doc["id"])
        self.need(doc["type"].lower() == kind.lower(), where, f"type is {doc['type']}, its id says {kind}")
        name = doc.get("name", doc.get("subscriptionId"))
        self.need(name == where.rsplit("/", 1)[1], where, f"name is {name}")
        self.parent(doc)
        if "location" in doc:
            region = doc["location"].replace(" ", "").lower()
            self.need(region in REGIONS, where, f"no region is named {doc['location']}")
        for key, value in doc.get("tags", {}).items():
            self.need(isinstance(value, str) and len(value) <= 256 and len(key) <= 512, where, f"tag {key} is too long or no text")
        self.need(len(doc.get("tags", {})) <= 50, where, "more than 50 tags")
        if "identity" in doc:
            self.block(doc)
        for path, text in strings(doc):
            self.mention(where, path, text)
        kind = kind.lower()
        props = doc.get("properties") or {}
        if kind == UAMI:
            self.need(props["tenantId"] == self.estate["tenantId"], where, "belongs to another tenant")
            self.need(isinstance(doc.get("tags"), dict), where, "an identity always has tags, be they empty")
        elif kind == UAMI + "/federatedidentitycredentials":
            self.need(props["issuer"].startswith("https://") and props["subject"] and len(props["audiences"]) == 1, where, "incomplete")
        elif kind == "microsoft.keyvault/vaults":
            for n, entry in enumerate(props["accessPolicies"]):
                self.known(entry["objectId"], f"{where}/properties/accessPolicies/{n}")
                self.need(entry["tenantId"] == self.estate["tenantId"], where, "a policy of another tenant")
            double = [o for o, c in Counter(p["objectId"].lower() for p in props["accessPolicies"]).items() if c > 1]
            self.need(not double, where, f"two policies of {double}")
        elif kind.startswith("microsoft.documentdb/databaseaccounts/sqlroleassignments"):
            self.cosmos(doc)
        elif kind == "microsoft.authorization/locks":
            self.need(props["level"] in ("CanNotDelete", "ReadOnly"), where, f"no lock is {props['level']}")
        elif kind == "microsoft.authorization/roledefinitions":
            self.need(props["type"] == "CustomRole", where, "only custom roles are listed")
            for scope in props["assignableScopes"]:
                self.need(scope.lower() in self.by_id, where, f"assignable at {scope}, which is not there")

    def parent(self, doc):
        where = doc["id"]
        parent = parent_of(where)
        if parent is None:
            return
        if doc["type"].lower() == ASSIGNMENT:
            parent = top_level(parent)
        # Services below an account, such as blobServices/default, need no document of their own.
        while parent.lower() not in self.by_id and len(segments(parent)[1]) and parent != top_level(parent) and parent.lower().endswith("/default"):
            parent = parent_of(parent)
        self.need(parent.lower() in self.by_id, where, f"lies in {parent}, which is not there")

    def block(self, doc):
        where, block = doc["id"], doc["identity"]
        kinds = {k.strip().lower() for k in block["type"].split(",")}
        self.need(kinds <= {"none", "systemassigned", "userassigned"}, where, f"identity type {block['type']}")
        held = block.get("userAssignedIdentities", {})
        self.need(bool(held) == ("userassigned" in kinds), where, "identity type and identities do not agree")
        self.need(("principalId" in block) == ("systemassigned" in kinds), where, "identity type and principalId do not agree")
        self.need(len({k.lower() for k in held}) == len(held), where, "holds one identity twice")
        for key, value in held.items():
            identity = self.identities.get(key.lower())
            if self.need(identity, where, f"holds {key}, which is not there"):
                mine = {k: identity["properties"][k] for k in ("principalId", "clientId")}
                self.need(value == mine, where, f"wrong principalId or clientId under {key}")

    def mention(self, where, path, text):
        for match in ID_IN_TEXT.finditer(text):
            found = match.group().rstrip(".-").lower()
            if re.search(r"/providers/microsoft\.authorization/roledefinitions/", found):
                continue
            try:
                found = top_level(found)
            except BadId:
                self.say(f"{where}{path}", f"not a whole id: {found}")
                continue
            # A name that only begins like an identity's is a decoy; decoys stand beside words, never alone.
            if found not in self.by_id and not (where + path != where and self.decoy(path, found)):
                self.say(f"{where}{path}", f"names {found}, which is not there")

    def decoy(self, path, found):
        return path.startswith("/tags/") and any(found.startswith(k) for k in self.identities)

    def cosmos(self, doc):
        where, props = doc["id"], doc["properties"]
        account = where[:where.lower().index("/sqlroleassignments/")]
        self.known(props["principalId"], where)
        self.need(props["scope"].lower().startswith(account.lower()), where, "scope is outside of its account")
        role = props["roleDefinitionId"]
        built_in = re.fullmatch(re.escape(account) + r"/sqlRoleDefinitions/00000000-0000-0000-0000-00000000000[12]", role, re.I)
        self.need(built_in or role.lower() in self.by_id, where, f"role {role} is not there")

    def principals(self):
        """Everything that has an object id, and that no id or client id is used twice."""
        self.kinds, used = {}, []
        for identity in self.identities.values():
            self.kinds[identity["properties"]["principalId"].lower()] = "ServicePrincipal"
            used += [identity["properties"]["principalId"], identity["properties"]["clientId"]]
        for doc in self.docs:
            own = (doc.get("identity") or {}).get("principalId")
            if own:
                self.kinds[own.lower()] = "ServicePrincipal"
                used.append(own)
        for name, kind in (("users", "User"), ("groups", "Group"), ("servicePrincipals", "ServicePrincipal")):
            for item in self.graph.get(name, []):
                # What the directory alone knows of an identity stands in a service principal with its id.
                if item["id"].lower() not in self.kinds:
                    used.append(item["id"])
                self.kinds[item["id"].lower()] = kind
        used += [i["id"] for i in self.graph.get("applications", [])]
        used += [s["subscriptionId"] for s in self.docs if s["type"].lower() == "microsoft.resources/subscriptions"]
        used += [d["name"] for d in self.docs if d["type"].lower() == ASSIGNMENT]
        for guid, count in Counter(u.lower() for u in used).items():
            self.need(count == 1, guid, f"stands for {count} things")
            self.need(GUID4.match(guid), guid, "is no version 4 GUID in lower case")
        for where, guid in getattr(self, "asked", []):
            self.need(guid in self.kinds, where, f"principal {guid} is not there")

    def known(self, guid, where):
        self.asked = getattr(self, "asked", [])
        self.asked.append((where, guid.lower()))

    def assignments(self):
        custom = {d["name"].lower(): d for d in self.docs if d["type"].lower() == "microsoft.authorization/roledefinitions"}
        seen = Counter()
        for doc in self.docs:
            if doc["type"].lower() != ASSIGNMENT:
                continue
            where, props = doc["id"], doc["properties"]
            scope = parent_of(where) or "/"
            self.need(props["scope"].lower() == scope.lower(), where, f"scope is {props['scope']}")
            role = props["roleDefinitionId"].rsplit("/", 1)[1].lower()
            self.need(role in BUILT_IN or role in custom, where, f"no role has the id {role}")
            if role in custom:
                inside = any(scope.lower().startswith(s.lower()) for s in custom[role]["properties"]["assignableScopes"])
                self.need(inside, where, "its custom role is not assignable there")
            kind = self.kinds.get(props["principalId"].lower())
            self.need(kind, where, f"principal {props['principalId']} is not there")
            self.need(kind == props["principalType"], where, f"the principal is a {kind}, not a {props['principalType']}")
            self.need(("condition" in props) == (props.get("conditionVersion") == "2.0"), where, "condition and conditionVersion do not agree")
            seen[scope.lower(), role, props["principalId"].lower()] += 1
        for (scope, role, who), count in seen.items():
            self.need(count == 1, scope, f"{count} assignments of role {role} to {who}")

    def directory(self):
        for name, items in self.graph.items():
            keys = Counter(i["id"] for i in items)
            self.need(not items or max(keys.values()) == 1, f"graph/{name}", "an id is used twice")
        for group in self.graph.get("groups", []):
            for who in group["members"] + group["owners"]:
                self.need(who.lower() in self.kinds, f"group {group['displayName']}", f"{who} is not there")
            self.need(len(set(group["members"])) == len(group["members"]), f"group {group['displayName']}", "a member stands twice")
        services = {s["id"]: s for s in self.graph.get("servicePrincipals", [])}
        for item in self.graph.get("appRoleAssignments", []):
            resource = services.get(item["resourceId"], {"appRoles": []})
            self.need(item["principalId"] in self.kinds, f"appRoleAssignment {item['id']}", "unknown principal")
            self.need(item["appRoleId"] in [r["id"] for r in resource["appRoles"]], f"appRoleAssignment {item['id']}", "unknown role")
        for name in ("roleManagement", "roleAssignmentScheduleInstances", "roleEligibilityScheduleInstances",
                     "assignmentScheduleInstances", "eligibilityScheduleInstances"):
            for item in self.graph.get(name, []):
                self.need(item["principalId"] in self.kinds, f"{name} {item['id']}", "unknown principal")
        for item in self.graph.get("oauth2PermissionGrants", []):
            self.need({item["clientId"], item["resourceId"]} <= set(self.kinds), f"oauth2PermissionGrant {item['id']}", "unknown principal")
        operator = self.estate.get("operator")
        self.need(operator is None or operator in self.kinds, "operator", "unknown principal")

    def demo(self):
        wanted = self.estate.get("demo", {}).get("relocate")
        if wanted:
            identity = self.identities.get(wanted["identity"].lower())
            if self.need(identity, "demo", f"{wanted['identity']} is not there"):
                self.need(identity["location"] != wanted["to"], "demo", "the identity is there already")
            self.need(wanted["to"] in REGIONS, "demo", f"no region is named {wanted['to']}")


def check(estate):
    """What is wrong with the estate, as a list of lines; empty where nothing is."""
    return Checker(estate).run()


def main(files):
    bad = False
    for file in files:
        estate = json.load(sys.stdin) if file == "-" else json.load(open(file, encoding="utf-8"))
        wrong = check(estate)
        kinds = {d["type"].lower() for d in estate["arm"]["resources"]}
        print(f"{file}: {len(estate['arm']['resources'])} documents of {len(kinds)} types, {len(wrong)} inconsistencies")
        for line in wrong:
            print(f"  {line}")
        bad = bad or bool(wrong)
    return 1 if bad else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
