#!/usr/bin/env python3
"""Tests of the outside judge: a faithful relocation passes, and each kind of damage is noticed.

    python3 -m unittest tests/outside/test_compare.py        (or run this file)

`relocate` below makes the estate that a faithful relocation leaves, by its own, simpler means: substitution in text.
"""
import copy
import json
import pathlib
import re
import sys
import unittest
import uuid

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True
from check_estate import check  # noqa: E402
from compare import compare  # noqa: E402
from judge import sent_twice  # noqa: E402
from random_estate import build  # noqa: E402

ROOT = HERE.parent.parent
NEW_PRINCIPAL, NEW_CLIENT = "0f0e0d0c-0b0a-4908-8706-050403020100", "1f1e1d1c-1b1a-4918-9716-151413121110"
ASSIGNMENTS = ("roleassignments", "sqlroleassignments", "principalassignments", "accesspolicyassignments")


def load(name):
    path = ROOT / ("src/sim/estates/demo.json" if name == "demo" else f"tests/estates/{name}.json")
    return json.loads(path.read_text(encoding="utf-8"))


def turn(value, old, new):
    """The value with each whole word of `old` replaced by the word of `new` at the same place."""
    text = json.dumps(value)
    for a, b in zip(old, new):
        text = re.sub(f"(?<![A-Za-z0-9_-]){re.escape(a)}(?![A-Za-z0-9_-])", b, text, flags=re.I)
    return json.loads(text)


def both(was, now, key=""):
    """What stands while old and new overlap: the entries of maps and grant lists of both, else what is turned."""
    if isinstance(was, dict) and isinstance(now, dict):
        mixed = {k: both(v, w, k) for (k, v), w in zip(was.items(), now.values())}
        mixed = {new: value for new, value in zip(now, mixed.values())}
        return mixed | ({k: v for k, v in was.items() if k not in now} if key == "userAssignedIdentities" else {})
    if isinstance(was, list) and isinstance(now, list):
        if key in ("accessPolicies", "members", "owners"):
            return was + [n for n in now if n not in was]
        return [both(v, w) for v, w in zip(was, now)]
    return now


def relocate(before, phase="done"):
    """The estate after a faithful relocation, with the ids of both identities: (after, old id, new id)."""
    wanted = before["demo"]["relocate"]
    old = next(d for d in before["arm"]["resources"] if d["id"].lower() == wanted["identity"].lower())
    names = (old["id"].lstrip("/"), old["properties"]["principalId"], old["properties"]["clientId"])
    new_id = f"{old['id']}-{wanted['to']}"
    news = (new_id.lstrip("/"), NEW_PRINCIPAL, NEW_CLIENT)
    after = copy.deepcopy(before)
    docs = []
    for doc in before["arm"]["resources"]:
        turned = turn(doc, names, news)
        kind = doc["type"].rsplit("/", 1)[-1].lower()
        if turned == doc:
            docs.append(doc)
        elif turned["id"] != doc["id"] or kind in ASSIGNMENTS and "principalId" in turned["properties"] and \
                turned["properties"]["principalId"] != doc["properties"]["principalId"]:
            if kind in ASSIGNMENTS:
                name = str(uuid.uuid5(uuid.NAMESPACE_URL, turned["id"]))
                turned["id"] = turned["id"].rsplit("/", 1)[0] + "/" + name
                turned["name"] = name
            if doc is old:
                turned |= {"name": new_id.rsplit("/", 1)[1], "location": wanted["to"]}
            docs += [turned] + ([doc] if phase == "move" else [])
        else:
            docs.append(turned if phase == "done" else both(doc, turned))
    after["arm"]["resources"] = docs
    for name, items in before["graph"].items():
        turned = turn(items, names, news)
        if name == "signIns" or turned == items:
            continue
        if name in ("appRoleAssignments", "roleManagement"):
            extra = [dict(t, id=str(uuid.uuid5(uuid.NAMESPACE_URL, t["id"]))) for t, i in zip(turned, items) if t != i]
            after["graph"][name] = [i for t, i in zip(turned, items) if phase == "move" or t == i] + extra
        else:
            after["graph"][name] = turned if phase == "done" else both(items, turned)
    if before.get("data"):
        after["data"] = turn(before["data"], names, news)
    return after, old["id"], new_id


def names():
    return ["demo"] + sorted(p.stem for p in (ROOT / "tests/estates").glob("*.json"))


def odd(before):
    """The estate with what is rarer on its identity: locks, exemptions, records named by a principal, conditions."""
    wanted = before["demo"]["relocate"]["identity"]
    mine = find(before, wanted)["properties"]
    group_id = wanted[:wanted.index("/providers/")]
    sub = wanted[:wanted.index("/resourceGroups/")]

    def add(scope, kind, name, /, **props):
        parent = scope.rsplit("/providers/", 1)[-1].split("/")
        full = kind if "." in kind else "/".join([parent[0], *parent[1::2], kind])
        path = f"{scope}/providers/{kind}/{name}" if "." in kind else f"{scope}/{kind}/{name}"
        before["arm"]["resources"].append({"id": path, "name": name, "type": full, "properties": props})
        return path
    add(wanted, "Microsoft.Authorization/locks", "keep", level="CanNotDelete", notes="kept")
    add(wanted, "Microsoft.Authorization/policyExemptions", "old", policyAssignmentId=f"{sub}/x", exemptionCategory="Waiver")
    server = add(group_id, "Microsoft.DBforPostgreSQL/flexibleServers", "pg", version="16")
    add(server, "administrators", mine["principalId"], principalName="id", principalType="ServicePrincipal")
    cluster = add(group_id, "Microsoft.Kusto/clusters", "adx", state="Running")
    add(cluster, "principalAssignments", "orders", principalId=mine["clientId"], role="AllDatabasesViewer", principalType="App")
    add(group_id, "Microsoft.ServiceFabric/managedClusters", "sf", vmManagedIdentity={"userAssignedIdentities": ["/a", wanted]})
    add(sub, "Microsoft.Authorization/roleAssignments", str(uuid.uuid4()), principalId=str(uuid.uuid4()), scope=sub,
        roleDefinitionId="/x/roleDefinitions/f58310d9-a9f6-439a-9e8d-f62e7b41a168", principalType="Group", conditionVersion="2.0",
        condition="@Request[Microsoft.Authorization/roleAssignments:PrincipalId] ForAnyOfAnyValues:GuidEquals {%s}" % mine["principalId"])
    return before


class FaithfulRelocation(unittest.TestCase):
    def test_passes_in_every_estate_and_phase(self):
        for name in names():
            for phase in ("done", "move"):
                with self.subTest(estate=name, phase=phase):
                    before = load(name)
                    after, old, new = relocate(before, phase)
                    self.assertEqual(compare(before, after, old, new, phase), [])

    def test_passes_in_random_estates(self):
        for seed in range(12):
            for phase in ("done", "move"):
                with self.subTest(seed=seed, phase=phase):
                    before = build(seed, size=8, assignments=18, bindings=19)
                    self.assertEqual(check(before), [])
                    after, old, new = relocate(before, phase)
                    self.assertEqual(compare(before, after, old, new, phase), [])

    def test_passes_with_rarer_things_on_the_identity(self):
        for phase in ("done", "move"):
            with self.subTest(phase=phase):
                before = odd(load("one-vm"))
                after, old, new = relocate(before, phase)
                self.assertEqual(compare(before, after, old, new, phase), [])

    def test_the_new_policy_and_member_may_stand_last(self):
        before = load("lookalikes")
        after, old, new = relocate(before)
        entries = find(after, "/vaults/kv-alike")["properties"]["accessPolicies"]
        entries.append(entries.pop(next(n for n, e in enumerate(entries) if e["objectId"] == NEW_PRINCIPAL)))
        self.assertEqual(compare(before, after, old, new), [])
        entries.append(entries.pop(0))
        self.assertEqual(len(compare(before, after, old, new)), 1)

    def test_one_phase_does_not_pass_for_the_other(self):
        before = load("demo")
        for made, judged in (("done", "move"), ("move", "done")):
            after, old, new = relocate(before, made)
            self.assertNotEqual(compare(before, after, old, new, judged), [])

    def test_doing_nothing_is_noticed(self):
        before = load("two-regions")
        _, old, new = relocate(before)
        self.assertIn("the new identity is not in the estate after", compare(before, before, old, new)[0])

    def test_a_swap_or_an_overlap_may_stand_after_move(self):
        before = load("one-vm")
        after, old, new = relocate(before, "move")
        held = find(after, "/vm-one")["identity"]["userAssignedIdentities"]
        self.assertEqual(len(held), 2)
        del held[next(k for k in held if k.lower() == old.lower())]
        self.assertEqual(compare(before, after, old, new, "move"), [])

    def test_the_new_id_may_be_spelled_as_providers_do(self):
        before = load("two-regions")
        after, old, new = relocate(before)
        site = find(after, "/sites/app-orders")
        site["properties"]["keyVaultReferenceIdentity"] = site["properties"]["keyVaultReferenceIdentity"].lower()
        find(after, "/app-orders/config/appsettings")["properties"]["AZURE_CLIENT_ID"] = NEW_CLIENT.upper()
        self.assertEqual(compare(before, after, old, new), [])


def find(estate, end, **props):
    """The one document whose id ends so, or of that type with those properties."""
    hits = [d for d in estate["arm"]["resources"]
            if (d["id"].lower().endswith(end.lower()) or d["type"].lower().endswith(end.lower()))
            and all(d["properties"].get(k) == v for k, v in props.items())]
    assert hits, f"nothing ends with {end} and has {props}"
    return hits[0]


def drop(estate, doc):
    estate["arm"]["resources"] = [d for d in estate["arm"]["resources"] if d is not doc]


def assignment(estate, **props):
    return find(estate, "Microsoft.Authorization/roleAssignments", principalId=NEW_PRINCIPAL, **props)


def conditional(estate):
    return next(d for d in estate["arm"]["resources"]
                if d["type"].endswith("roleAssignments") and "condition" in d["properties"])


def unconditional(props):
    del props["condition"], props["conditionVersion"]


def group(estate, name):
    return next(g for g in estate["graph"]["groups"] if g["displayName"] == name)


def again(estate, doc):
    copied = copy.deepcopy(doc)
    copied["name"] = str(uuid.uuid4())
    copied["id"] = doc["id"].rsplit("/", 1)[0] + "/" + copied["name"]
    estate["arm"]["resources"].append(copied)


def replace(doc, was, now):
    text = json.dumps(doc)
    assert was in text, was
    doc.update(json.loads(text.replace(was, now)))


# Each damages the estate after `done` of the demo; the judge must see it.
DAMAGE = {
    # grants
    "an assignment is missing": lambda a: drop(a, assignment(a)),
    "an assignment stands twice": lambda a: again(a, assignment(a)),
    "an assignment has another role": lambda a: replace(assignment(a), "acdd72a7-3385-48ef-bd42-f606fba81ae7", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"),
    "an assignment moved to another scope": lambda a: replace(find(a, "roleAssignments", principalId=NEW_PRINCIPAL, description="Labels only, see ADR 31."), "storageAccounts/stordersprod", "storageAccounts/stcontosolake"),
    "an assignment lost its condition": lambda a: unconditional(conditional(a)["properties"]),
    "an assignment's condition is wider": lambda a: conditional(a)["properties"].update(condition="true"),
    "an assignment lost its description": lambda a: conditional(a)["properties"].pop("description"),
    "an assignment is of another principal type": lambda a: assignment(a)["properties"].update(principalType="User"),
    "a right that nobody had": lambda a: again_wider(a),
    "a group membership is missing": lambda a: group(a, "orders-runtime")["members"].remove(NEW_PRINCIPAL),
    "a group membership stands twice": lambda a: group(a, "orders-runtime")["members"].append(NEW_PRINCIPAL),
    "a membership in a group of others": lambda a: group(a, "orders-people")["members"].append(NEW_PRINCIPAL),
    "another member was thrown out": lambda a: group(a, "orders-runtime")["members"].pop(),
    "a group ownership is missing": lambda a: group(a, "contoso-workload-readers")["owners"].remove(NEW_PRINCIPAL),
    "a group was recreated": lambda a: group(a, "orders-runtime").update(id=str(uuid.uuid4())),
    "a group's settings changed": lambda a: group(a, "orders-runtime").update(securityEnabled=False),
    "a group is gone": lambda a: a["graph"]["groups"].pop(0),
    "an app role is missing": lambda a: a["graph"]["appRoleAssignments"].pop(),
    "a directory role stands twice": lambda a: a["graph"]["roleManagement"].append(dict(a["graph"]["roleManagement"][-1], id="x")),
    "a vault policy is missing": lambda a: policies(a).pop(1),
    "a vault policy is weaker": lambda a: policies(a)[1]["permissions"]["keys"].pop(),
    "a vault policy is wider": lambda a: policies(a)[1]["permissions"]["secrets"].append("set"),
    "a vault policy stands twice": lambda a: policies(a).append(policies(a)[1]),
    "a vault policy of others is gone": lambda a: policies(a).pop(0),
    "a vault policy of others changed": lambda a: policies(a)[0]["permissions"]["secrets"].pop(),
    "a cosmos assignment is missing": lambda a: drop(a, find(a, "sqlRoleAssignments", principalId=NEW_PRINCIPAL)),
    "a cosmos assignment has another scope": lambda a: find(a, "sqlRoleAssignments", principalId=NEW_PRINCIPAL)["properties"].update(scope="/elsewhere"),
    "a cosmos assignment stands twice": lambda a: again(a, find(a, "sqlRoleAssignments", principalId=NEW_PRINCIPAL)),
    "a custom role changed": lambda a: find(a, "Microsoft.Authorization/roleDefinitions")["properties"]["permissions"][0]["actions"].pop(),
    # trust
    "a federated credential is missing": lambda a: drop(a, find(a, "id-orders-westeurope/federatedIdentityCredentials/aks-orders-worker")),
    "a federated credential's subject differs": lambda a: find(a, "id-orders-westeurope/federatedIdentityCredentials/github-orders-main")["properties"].update(subject="repo:contoso/orders:ref:refs/heads/Main"),
    "a right over the identity is missing": lambda a: drop(a, next(d for d in a["arm"]["resources"] if "id-orders-westeurope/providers/Microsoft.Authorization" in d["id"])),
    "a tag of the identity is missing": lambda a: identity(a)["tags"].pop("team"),
    "a tag was added to the identity": lambda a: identity(a)["tags"].update(by="somebody"),
    "the identity lies elsewhere": lambda a: identity(a).update(location="westus"),
    "the identity is isolated": lambda a: identity(a)["properties"].update(isolationScope="Regional"),
    "the identity is the old one renamed": lambda a: identity(a)["properties"].update(principalId=OLD["principalId"]),
    # bindings
    "a block was not turned": lambda a: block(a, "/virtualMachines/vm-orders-worker").update(OLD["block"]),
    "a block holds nothing": lambda a: find(a, "/virtualMachines/vm-orders-worker").pop("identity"),
    "a block lost its sibling": lambda a: drop_sibling(block(a, "/virtualMachines/vm-orders-batch")),
    "a block lost its system identity": lambda a: find(a, "/virtualMachines/vm-orders-batch")["identity"].update(type="UserAssigned"),
    "a block says the old principal": lambda a: next(v for k, v in block(a, "/vmss-orders-pickers").items()).update(principalId=OLD["principalId"]),
    "a client id setting was not turned": lambda a: find(a, "app-orders-web/config/appsettings")["properties"].update(AZURE_CLIENT_ID=OLD["clientId"]),
    "a setting is missing": lambda a: find(a, "app-orders-web/config/appsettings")["properties"].pop("OrdersSecret"),
    "a setting of a slot was not turned": lambda a: find(a, "slots/staging/config/appsettings")["properties"].update(ServiceBus__clientId=OLD["clientId"].upper()),
    "the rest of a connection string changed": lambda a: replace(find(a, "app-orders-web/config/connectionstrings"), "Encrypt=True", "Encrypt=False"),
    "a reference names a decoy": lambda a: find(a, "/servers/sql-orders-prod")["properties"].update(primaryUserAssignedIdentityId=OLD["decoy"]),
    "a reference deep in a workflow was not turned": lambda a: replace(find(a, "/logic-orders-escalation"), "id-orders-westeurope", "id-orders"),
    "a tag's key was not turned": lambda a: replace(find(a, "/dash-orders-on-call"), "id-orders-westeurope", "id-orders"),
    "a tag's value was not turned": lambda a: find(a, "/appi-orders-prod")["tags"].update({"runs-as": OLD["id"].upper()}),
    "a container's environment changed order": lambda a: find(a, "/ca-orders-api")["properties"]["template"]["containers"][0]["env"].reverse(),
    "a registry's client id was not turned": lambda a: find(a, "/registries/crcontoso")["properties"]["encryption"]["keyVaultProperties"].update(identity=OLD["clientId"]),
    "an automation variable was not turned": lambda a: find(a, "/variables/OrdersClientId")["properties"].update(value=json.dumps(OLD["clientId"])),
    "a secret changed": lambda a: find(a, "/ca-orders-api/listSecrets/default")["value"][1].update(value="lost"),
    "a masked secret was written": lambda a: find(a, "/ca-orders-api")["properties"]["configuration"]["secrets"][1].update(value="wrong"),
    "another property of a bound resource changed": lambda a: find(a, "/vm-orders-worker")["properties"]["hardwareProfile"].update(vmSize="Standard_D2s_v5"),
    "a bound resource is gone": lambda a: drop(a, find(a, "/virtualMachines/vm-orders-worker")),
    # what is not the identity's
    "an unrelated resource is gone": lambda a: drop(a, find(a, "/vnet-hub-westeurope")),
    "an unrelated value changed": lambda a: find(a, "/vnet-hub-westeurope")["properties"].update(enableDdosProtection=True),
    "an unrelated number became a truth": lambda a: find(a, "/keep-hub-network")["properties"].update(level=1),
    "a lock is gone": lambda a: drop(a, find(a, "/locks/keep-hub-network")),
    "something was made": lambda a: again(a, find(a, "/locks/keep-hub-network")),
    "a decoy was turned": lambda a: replace(find(a, "/app-orders-standby"), "rg-orders-standby-centralus/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-orders", "rg-orders-prod-eastus/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-orders-westeurope"),
    "a decoy in text was turned": lambda a: replace(find(a, "Microsoft.Insights/workbooks"), f"x{OLD['clientId']}", f"x{NEW_CLIENT}"),
    "a decoy in a written document was turned": lambda a: find(a, "app-orders-web/config/appsettings")["properties"].update(PARTNER_CLIENT_ID=NEW_CLIENT),
    "a decoy's name was turned": lambda a: find(a, "/virtualMachines/vm-orders-batch")["tags"].update(note="runs as id-orders-westeurope"),
    "a user is gone": lambda a: a["graph"]["users"].pop(),
    "a sign-in is gone": lambda a: a["graph"]["signIns"].pop(),
    "a service principal was made": lambda a: a["graph"]["servicePrincipals"].append({"id": str(uuid.uuid4()), "displayName": "new"}),
    "the old identity is still there": lambda a: a["arm"]["resources"].append(OLD["doc"]),
    "an old assignment is still there": lambda a: a["arm"]["resources"].append(OLD["assignment"]),
    "an old member is still there": lambda a: group(a, "orders-runtime")["members"].append(OLD["principalId"]),
    "an old policy is still there": lambda a: policies(a).append(OLD["policy"]),
}
# Each damages the estate after `move` of the demo.
MOVE_DAMAGE = {
    "the old identity is gone": lambda a: drop(a, find(a, "rg-orders-prod-eastus/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-orders")),
    "the old identity changed": lambda a: find(a, "rg-orders-prod-eastus/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-orders")["tags"].clear(),
    "an old assignment is gone": lambda a: drop(a, find(a, "roleAssignments", principalId=OLD["principalId"])),
    "a new assignment is missing": lambda a: drop(a, assignment(a)),
    "a new assignment stands twice": lambda a: again(a, assignment(a)),
    "an old membership is gone": lambda a: group(a, "orders-runtime")["members"].remove(OLD["principalId"]),
    "a new membership is missing": lambda a: group(a, "orders-runtime")["members"].remove(NEW_PRINCIPAL),
    "an old ownership is gone": lambda a: group(a, "contoso-workload-readers")["owners"].remove(OLD["principalId"]),
    "an old policy is gone": lambda a: policies(a).pop(1),
    "a new policy is missing": lambda a: policies(a).pop(),
    "an old cosmos assignment is gone": lambda a: drop(a, find(a, "sqlRoleAssignments", principalId=OLD["principalId"])),
    "an old federated credential is gone": lambda a: drop(a, find(a, "userAssignedIdentities/id-orders/federatedIdentityCredentials/aks-orders-worker")),
    "a new federated credential is missing": lambda a: drop(a, find(a, "id-orders-westeurope/federatedIdentityCredentials/aks-orders-worker")),
    "a new identity is not in the block": lambda a: block(a, "/vm-orders-batch").pop(next(k for k in block(a, "/vm-orders-batch") if "id-orders-westeurope" in k)),
    "a sibling is not in the block": lambda a: drop_sibling(block(a, "/vm-orders-batch")),
    "a setting was not turned": lambda a: find(a, "app-orders-web/config/appsettings")["properties"].update(AZURE_CLIENT_ID=OLD["clientId"]),
    "an old app role is gone": lambda a: a["graph"]["appRoleAssignments"].pop(0),
    "an unrelated value changed": lambda a: find(a, "/vnet-hub-westeurope")["properties"].update(enableDdosProtection=True),
}
# Each damages the estate of rarer things after `done`.
ODD_DAMAGE = {
    "the lock is missing": lambda a: drop(a, find(a, "/locks/keep")),
    "the lock is weaker": lambda a: find(a, "/locks/keep")["properties"].update(notes=""),
    "the exemption is missing": lambda a: drop(a, find(a, "/policyExemptions/old")),
    "the administrator is missing": lambda a: drop(a, find(a, f"/administrators/{NEW_PRINCIPAL}")),
    "the cluster's principal has another role": lambda a: find(a, "clusters/principalAssignments")["properties"].update(role="AllDatabasesAdmin"),
    "an id in a list was lost": lambda a: find(a, "/managedClusters/sf")["properties"]["vmManagedIdentity"]["userAssignedIdentities"].pop(),
    "an id in a list was doubled": lambda a: find(a, "/managedClusters/sf")["properties"]["vmManagedIdentity"]["userAssignedIdentities"].append("/a"),
    "another one's condition was not turned": lambda a: conditional(a)["properties"].update(condition="true"),
}
OLD = {}


def identity(estate):
    return find(estate, "userAssignedIdentities/id-orders-westeurope")


def policies(estate):
    return find(estate, "/vaults/kv-orders-prod")["properties"]["accessPolicies"]


def block(estate, end):
    return find(estate, end, provisioningState="Succeeded")["identity"]["userAssignedIdentities"]


def drop_sibling(held):
    del held[next(k for k in held if k.lower().endswith("id-orders2"))]


def again_wider(estate):
    doc = assignment(estate)
    again(estate, doc)
    replace(estate["arm"]["resources"][-1], doc["properties"]["roleDefinitionId"].rsplit("/", 1)[1], "8e3af657-a8ff-443c-a75c-2fe8c4bcb635")


class Damage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.before = load("demo")
        wanted = cls.before["demo"]["relocate"]["identity"]
        doc = next(d for d in cls.before["arm"]["resources"] if d["id"] == wanted)
        props = doc["properties"]
        OLD.update(id=doc["id"], doc=doc, principalId=props["principalId"], clientId=props["clientId"],
                   decoy=find(cls.before, "userAssignedIdentities/id-orders2")["id"],
                   block=block(cls.before, "/virtualMachines/vm-orders-worker"), policy=policies(cls.before)[1],
                   assignment=find(cls.before, "roleAssignments", principalId=props["principalId"]))

    def noticed(self, table, phase, before=None):
        before = before or self.before
        whole, old, new = relocate(before, phase)
        for what, damage in table.items():
            with self.subTest(damage=what, phase=phase):
                after = copy.deepcopy(whole)
                damage(after)
                self.assertNotEqual(after, whole, "the damage does nothing")
                found = compare(before, after, old, new, phase)
                self.assertTrue(found, "not noticed")
                if "renamed" not in what:
                    self.assertLess(len(found), 8, "one damage, many lines:\n" + "\n".join(found))

    def test_of_each_kind_is_noticed_after_done(self):
        self.noticed(DAMAGE, "done")

    def test_of_each_kind_is_noticed_after_move(self):
        self.noticed(MOVE_DAMAGE, "move")

    def test_of_rarer_things_is_noticed(self):
        self.noticed(ODD_DAMAGE, "done", odd(load("one-vm")))


# Each makes the demo inconsistent; the checker must see it.
INCONSISTENT = {
    "a resource group is gone": lambda e: drop(e, find(e, "/resourceGroups/rg-orders-data-eastus")),
    "an identity is gone": lambda e: drop(e, find(e, "userAssignedIdentities/id-orders2")),
    "a block says another principal": lambda e: next(iter(block(e, "/virtualMachines/vm-orders-worker").values())).update(principalId=NEW_PRINCIPAL),
    "a block's type does not fit": lambda e: find(e, "/virtualMachines/vm-orders-worker")["identity"].update(type="SystemAssigned"),
    "a policy of nobody": lambda e: policies(e)[1].update(objectId=NEW_PRINCIPAL),
    "a member who is nobody": lambda e: group(e, "orders-runtime")["members"].append(NEW_PRINCIPAL),
    "an assignment of nobody": lambda e: find(e, "roleAssignments", principalId=OLD["principalId"])["properties"].update(principalId=NEW_PRINCIPAL),
    "an assignment of no role": lambda e: find(e, "roleAssignments", principalId=OLD["principalId"])["properties"].update(roleDefinitionId="/x/" + NEW_CLIENT),
    "an assignment elsewhere than its id": lambda e: find(e, "roleAssignments", principalId=OLD["principalId"])["properties"].update(scope="/subscriptions/x"),
    "a type that is not the id's": lambda e: find(e, "/vaults/kv-orders-prod").update(type="Microsoft.Web/sites"),
    "an id twice": lambda e: e["arm"]["resources"].append(copy.deepcopy(e["arm"]["resources"][5])),
    "a reference to nothing": lambda e: find(e, "/servers/sql-orders-prod")["properties"].update(primaryUserAssignedIdentityId=OLD["id"] + "3"),
    "nothing to relocate": lambda e: e["demo"]["relocate"].update(identity=OLD["id"] + "3"),
}


class TheChecker(unittest.TestCase):
    setUpClass = classmethod(lambda cls: Damage.setUpClass())

    def test_finds_every_estate_consistent(self):
        for name in names():
            with self.subTest(estate=name):
                self.assertEqual(check(load(name)), [])

    def test_notices_each_inconsistency(self):
        for what, damage in INCONSISTENT.items():
            with self.subTest(damage=what):
                estate = load("demo")
                damage(estate)
                self.assertTrue(check(estate), "not noticed")


class TheLog(unittest.TestCase):
    @staticmethod
    def line(seq, method, path, status=200, body="b"):
        return {"seq": seq, "method": method, "path": path, "status": status, "bodyHash": body}

    def test_a_write_that_was_answered_is_not_sent_again(self):
        self.assertEqual(len(sent_twice([self.line(1, "PUT", "/a?v=1"), self.line(2, "PUT", "/A?v=1")])), 1)
        self.assertEqual(len(sent_twice([self.line(1, "POST", "/v1.0/groups/g/members/$ref", 204), self.line(2, "POST", "/v1.0/groups/g/members/$ref", 400)])), 1)

    def test_reads_retries_and_other_bodies_may_be(self):
        for path in ("/providers/Microsoft.ResourceGraph/resources?v=1", "/s/config/appsettings/list?v=1", "/v1.0/$batch", "/app/listSecrets"):
            self.assertEqual(sent_twice([self.line(1, "POST", path), self.line(2, "POST", path)]), [])
        self.assertEqual(sent_twice([self.line(1, "PUT", "/a", 503), self.line(2, "PUT", "/a")]), [])
        self.assertEqual(sent_twice([self.line(1, "PATCH", "/a"), self.line(2, "PATCH", "/a", body="c")]), [])


if __name__ == "__main__":
    unittest.main()
