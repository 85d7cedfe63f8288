#!/usr/bin/env python3
"""The outside judge of a relocation: compares two estates and knows nothing of how Ferry works.

    compare.py BEFORE AFTER --identity ID --new-id ID [--phase done|move] [--to REGION]

BEFORE and AFTER are what `GET /_sim/estate` gave. With `--phase done` (the default) every grant, trust and binding
of the old identity must stand exactly once on the new one, nothing may name the old one, and nothing else may
differ. With `--phase move` the old identity must still have its grants, groups and trust, beside the new one; of
bindings the new one must be there. Exit 0 without differences, 1 with a list of them, 2 for files it cannot read.

How it works: in BEFORE each whole word that names the old identity (its resource id in any spelling, its client id,
its principal id) is replaced by a mark, in AFTER each that names the new one; what is left must be equal. A word
ends where a character other than a letter, a digit, `_` or `-` stands. Python 3.11, standard library only.
"""
import argparse
import json
import re
import sys
from collections import defaultdict

MARKS = {"id": "\x00I\x00", "client": "\x00C\x00", "principal": "\x00P\x00"}
UAMI = "microsoft.managedidentity/userassignedidentities"
ASSIGNMENT = "microsoft.authorization/roleassignments"
# Records whose own name says nothing: a twin may have any.
FREE_NAMES = re.compile(
    r"(microsoft\.authorization/roleassignments"
    r"|microsoft\.authorization/role(assignment|eligibility)schedule(s|instances)"
    r"|microsoft\.documentdb/databaseaccounts/(sql|table|cassandra|gremlin|mongomi)roleassignments"
    r"|microsoft\.(kusto/clusters|synapse/workspaces/kustopools)(/databases)?/principalassignments"
    r"|microsoft\.cache/redis(enterprise/databases)?/accesspolicyassignments"
    r"|microsoft\.datashare/accounts/shares/invitations"
    r"|microsoft\.dbforpostgresql/servergroupsv2/roles"
    r"|microsoft\.billing/billingaccounts(/.+)?/billingroleassignments)$")
SCHEDULE = re.compile(r"microsoft\.authorization/role(assignment|eligibility)schedule(s|instances)$")
# Requests that make and end schedules are history, which nobody can delete: they go on naming the old principal.
REQUEST = re.compile(r"microsoft\.authorization/role(assignment|eligibility)schedulerequests$")
FREE_LISTS = {"appRoleAssignments", "roleManagement", "oauth2PermissionGrants", "roleAssignmentScheduleInstances",
              "roleEligibilityScheduleInstances", "assignmentScheduleInstances", "eligibilityScheduleInstances",
              "entitlementManagementRoles", "assignments"}
# Records of data planes whose address ends in a name that says nothing: local roles of HSMs, roles of Synapse.
FREE_DATA = re.compile(r"(?P<collection>https://.+/roleassignments)/[0-9a-f-]{36}$", re.I)
# Of records in free lists and of role assignments: when and by whom they were made, and names that are looked up.
HISTORY = {"createdOn", "updatedOn", "createdBy", "updatedBy", "createdDateTime", "startDateTime", "principalDisplayName", "deletedDateTime"}
# Of schedules: what comes of the request that made them. The end is no part of it: it is kept.
OF_REQUEST = {"startDateTime", "roleAssignmentScheduleId", "roleEligibilityScheduleId", "roleAssignmentScheduleRequestId",
              "roleEligibilityScheduleRequestId", "linkedRoleEligibilityScheduleId", "originRoleAssignmentId"}
# Members that hold a display name: where it was the old identity's, the new one's may stand there.
DISPLAY = {"login", "principalName"}
# Of records in free lists: what Graph computes when it answers, so that a record made by a request does not hold it.
COMPUTED = {"principalType", "resourceDisplayName"}
# Lists without order. In the first the old entry stays until clean-up.
GRANT_LISTS = {"accessPolicies", "members", "owners"}
SETS = GRANT_LISTS | {"Rows", "excludePrincipals", "excludedPrincipals", "identities", "allowedApplications",
                      "aadBasedSecurityPrincipals", "federatedIdentityCredentials"}


class Names:
    """One identity's three names, found as whole words in any spelling."""

    def __init__(self, doc):
        self.id, props = doc["id"], doc["properties"]
        self.words = {"id": doc["id"].lstrip("/"), "client": props["clientId"], "principal": props["principalId"]}
        edge = "[A-Za-z0-9_-]"
        self.regex = re.compile("|".join(f"(?P<{kind}>(?<!{edge}){re.escape(word)}(?!{edge}))"
                                         for kind, word in self.words.items()), re.I)
        self.hints = [word.lower()[-12:] for word in self.words.values()]

    def mark(self, text):
        lowered = text.lower()
        if not any(hint in lowered for hint in self.hints):
            return text
        return self.regex.sub(lambda m: MARKS[m.lastgroup], text)

    def marked(self, value):
        """The value with marks in every string, keys included."""
        if isinstance(value, str):
            return self.mark(value)
        if isinstance(value, list):
            return [self.marked(v) for v in value]
        if isinstance(value, dict):
            return {self.mark(k): self.marked(v) for k, v in value.items()}
        return value

    def places(self, value, path=""):
        """Where the value names the identity: JSON pointers, `KEY` behind one that names it by a key."""
        if isinstance(value, str):
            if self.mark(value) != value:
                yield path or "/"
        elif isinstance(value, list):
            for n, inner in enumerate(value):
                yield from self.places(inner, f"{path}/{n}")
        elif isinstance(value, dict):
            for key, inner in value.items():
                if self.mark(key) != key:
                    yield f"{path}/{key} KEY"
                yield from self.places(inner, f"{path}/{key}")

    def in_(self, value):
        return next(self.places(value), None) is not None


def canonical(value):
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def show(value):
    text = canonical(value).replace("\\u0000I\\u0000", "(identity)").replace("\\u0000C\\u0000", "(client id)")
    text = text.replace("\\u0000P\\u0000", "(principal id)").replace("\x00", "")
    return text if len(text) <= 160 else text[:157] + "…"


def tidy_policy(entry):
    """A vault's access policy with its permissions in one order: they are sets."""
    if not isinstance(entry, dict) or not isinstance(entry.get("permissions"), dict):
        return entry
    return entry | {"permissions": {k: sorted(str(p).lower() for p in v or []) for k, v in entry["permissions"].items() if v}}


class Comparison:
    def __init__(self, before, after, old_id, new_id, phase="done", to=None):
        self.before, self.after, self.phase, self.out = before, after, phase, []
        self.docs = {d["id"].lower(): d for d in before["arm"]["resources"]}
        self.found = {d["id"].lower(): d for d in after["arm"]["resources"]}
        self.old_id, self.new_id = old_id, new_id
        relocate = before.get("demo", {}).get("relocate", {})
        self.to = to or (relocate.get("to") if relocate.get("identity", "").lower() == old_id.lower() else None)
        self.old_doc, self.new_doc = self.docs.get(old_id.lower()), self.found.get(new_id.lower())
        self.done = phase == "done"

    def say(self, where, what):
        self.out.append(f"{where}: {what}")

    def run(self):
        if self.old_doc is None:
            return [f"{self.old_id}: the identity is not in the estate before"]
        if self.new_doc is None:
            return [f"{self.new_id}: the new identity is not in the estate after"]
        self.old, self.new = Names(self.old_doc), Names(self.new_doc)
        if len(self.found) != len(self.after["arm"]["resources"]):
            self.say("arm", "an id stands twice after")
        self.identity()
        self.arm()
        self.graph()
        self.data()
        if self.before.get("tenantId") != self.after.get("tenantId") or self.before.get("operator") != self.after.get("operator"):
            self.say("estate", "tenantId or operator differ")
        if self.done:
            self.nothing_names_the_old()
        return list(dict.fromkeys(self.out))

    # Marks on both sides: what named the new identity already before stays comparable.
    def was(self, value):
        return self.new.marked(self.old.marked(value))

    def is_(self, value):
        return self.new.marked(value)

    def names_old(self, text):
        return self.old.mark(text) != text

    def identity(self):
        old, new, where = self.old_doc, self.new_doc, self.new_doc["id"]
        for key in ("principalId", "clientId"):
            taken = {v.lower() for d in (old, *self.docs.values()) if d["type"].lower() == UAMI
                     for v in (d["properties"]["principalId"], d["properties"]["clientId"])}
            if new["properties"].get(key, "").lower() in taken | {""}:
                self.say(where, f"{key} is not new")
        if self.to and new.get("location", "").replace(" ", "").lower() != self.to:
            self.say(where, f"lies in {new.get('location')}, not in {self.to}")
        if (self.was(old.get("tags") or {})) != self.is_(new.get("tags") or {}):
            self.say(f"{where}/tags", f"differ: {show(old.get('tags'))} became {show(new.get('tags'))}")

        def settings(doc):
            props = {k: v for k, v in doc["properties"].items() if v is not None and k not in ("principalId", "clientId")}
            return {k: v for k, v in props.items() if (k, v) != ("isolationScope", "None")}
        if self.was(settings(old)) != self.is_(settings(new)):
            self.say(f"{where}/properties", f"differ: {show(settings(old))} became {show(settings(new))}")

    # Resource Manager.
    def arm(self):
        self.used = {self.new_doc["id"].lower()}
        twins, by_new_id = defaultdict(list), {}
        for key, doc in self.found.items():
            if self.new.in_(doc):
                by_new_id[self.new.mark(doc["id"]).lower()] = doc
                if FREE_NAMES.match(doc["type"].lower()):
                    twins[canonical(self.record(doc, self.is_))].append(doc)
        for key, doc in self.docs.items():
            if not self.old.in_(doc):
                self.untouched(key, doc)
            elif FREE_NAMES.match(doc["type"].lower()) and not self.about_it(doc):
                self.free(key, doc, twins)
            elif self.names_old(doc["id"]):
                if doc is not self.old_doc:
                    self.made_again(doc, by_new_id)
                self.stays_or_goes(key, doc)
            else:
                self.changed_in_place(key, doc)
        for key, doc in self.found.items():
            if key not in self.used and key not in self.docs and not REQUEST.match(doc["type"].lower()):
                self.say(doc["id"], "was made, and nothing before asks for it")

    def about_it(self, doc):
        """Whether a role assignment of another principal at another scope names the identity, as in its condition."""
        return doc["type"].lower() == ASSIGNMENT and not self.names_old(doc["id"]) and not self.names_old(doc["properties"].get("principalId", ""))

    def untouched(self, key, doc):
        self.used.add(key)
        now = self.found.get(key)
        if now is None:
            self.say(doc["id"], "has nothing to do with the identity and is gone")
        else:
            for path in differences(doc, now):
                self.say(doc["id"] + path, "has nothing to do with the identity and differs")

    def record(self, doc, marked):
        """What a role assignment or a record like it says, whatever its name is."""
        parent = doc["id"].rsplit("/", 2)[0]
        props = {k: v for k, v in (doc.get("properties") or {}).items() if k not in HISTORY and v is not None}
        if SCHEDULE.match(doc["type"].lower()):
            props = {k: v for k, v in props.items() if k not in OF_REQUEST}
            if "endDateTime" in props:
                props["endDateTime"] = props["endDateTime"][:19]
        props = marked(props)
        for key in ("scope", "roleDefinitionId"):
            if key in props:
                # What lies in a Cosmos DB account is told apart by case.
                parts = props[key].split("/") if "documentdb" in doc["type"].lower() else [props[key]]
                props[key] = "/".join(p.lower() if n < 9 else p for n, p in enumerate(parts))
        if doc["type"].lower() == ASSIGNMENT:
            parent = doc["id"][:doc["id"].lower().rindex("/providers/microsoft.authorization/")] or "/"
            props["roleDefinitionId"] = props.get("roleDefinitionId", "").rsplit("/", 1)[-1]
            if props.get("principalId") == MARKS["principal"]:
                props.setdefault("principalType", "ServicePrincipal")
        return {"type": doc["type"].lower(), "parent": marked(parent).lower(), "properties": props}

    def free(self, key, doc, twins):
        wanted = self.record(doc, self.was)
        have = twins.get(canonical(wanted), [])
        if len(have) > 1:
            self.say(doc["id"], f"has {len(have)} twins: {', '.join(d['name'] for d in have)}")
        if not have:
            near = [d for d in self.found.values() if d["type"].lower() == wanted["type"] and self.alike(wanted, d)]
            self.say(doc["id"], "has no twin on the new identity: " + show(wanted["properties"]))
            for other in near[:2]:
                self.used.add(other["id"].lower())
                for path in differences(wanted, self.record(other, self.is_)):
                    self.say(other["id"], f"is like {doc['name']}, but differs at {path}")
        self.used |= {d["id"].lower() for d in have}
        if not any(d["id"].lower() == key for d in have):
            self.stays_or_goes(key, doc)

    def alike(self, wanted, doc):
        mine = self.record(doc, self.is_)
        same = ("principalId", "roleDefinitionId", "accessPolicyName", "role")
        return mine["parent"] == wanted["parent"] and all(
            mine["properties"].get(k) == wanted["properties"].get(k) for k in same)

    def made_again(self, doc, by_new_id):
        now = by_new_id.get(self.was(doc["id"]).lower())
        if now is None:
            self.say(doc["id"], "was not made again on the new identity")
            return
        self.used.add(now["id"].lower())
        was = {k: v for k, v in doc.items() if k != "id"}
        self.match(now["id"], "", was, {k: v for k, v in now.items() if k != "id"}, final=True)

    def stays_or_goes(self, key, doc):
        """What belongs to the old identity stands unchanged after move and is gone when all is done."""
        now = self.found.get(key)
        if now is not None:
            self.used.add(key)
        if self.done and now is not None:
            self.say(doc["id"], "is still there")
        elif not self.done and now is None:
            self.say(doc["id"], "is gone before the clean-up")
        elif not self.done:
            for path in differences(doc, now):
                self.say(doc["id"] + path, "belongs to the old identity and differs before the clean-up")

    def changed_in_place(self, key, doc):
        self.used.add(key)
        now = self.found.get(key)
        if now is None:
            self.say(doc["id"], "is gone")
            return
        volatile = {"id", "etag", "systemData"}
        was = {k: v for k, v in doc.items() if k not in volatile}
        now = {k: v for k, v in now.items() if k not in volatile}
        if doc["type"].lower() == "microsoft.app/containerapps":
            now = self.without_sent_secrets(doc, now)
        self.match(doc["id"], "", was, now)

    def without_sent_secrets(self, doc, now):
        """Secret values that a write of a container app has to send again are no change if they are the same."""
        kept = self.docs.get(f"{doc['id']}/listSecrets/default".lower(), {}).get("value", [])
        values = {s["name"]: s.get("value") for s in kept}
        now = json.loads(json.dumps(now))
        held = {s["name"] for s in doc["properties"].get("configuration", {}).get("secrets") or [] if "value" in s}
        for secret in now.get("properties", {}).get("configuration", {}).get("secrets") or []:
            if secret.get("name") not in held and "value" in secret and secret["value"] == values.get(secret["name"]):
                del secret["value"]
        return now

    # Values, one by one. `final` is what holds when all is done, whichever phase is judged.
    def match(self, where, path, was, now, final=False):
        out = self.unlike(path, was, now, final or self.done, path.rsplit("/", 1)[-1])
        for at, what in out:
            self.say(where + at, what)

    def unlike(self, path, was, now, final, name):
        if isinstance(was, dict) and isinstance(now, dict):
            return self.unlike_maps(path, was, now, final)
        if isinstance(was, list) and isinstance(now, list):
            return self.unlike_lists(path, was, now, final, name)
        if isinstance(was, str) and isinstance(now, str) and self.names_old(was):
            if self.was(was) == self.is_(now):
                return []
            still = "still names the old identity" if self.names_old(now) else "does not name the new identity as it named the old"
            return [(path, f"{still}: {show(was)} became {show(now)}")]
        # How many rows a list says it has follows from them.
        if type(was) is type(now) and was == now or name == "totalResults":
            return []
        if name in DISPLAY and was == self.old_doc["name"] and now == self.new_doc["name"]:
            return []
        return [(path, f"differs: {show(was)} became {show(now)}")]

    def unlike_maps(self, path, was, now, final):
        out, left = [], dict(now)
        marked = defaultdict(list)
        for key in now:
            marked[self.is_(key)].append(key)
        for key, value in was.items():
            if not self.names_old(key):
                if key not in left:
                    out.append((f"{path}/{key}", "is gone"))
                else:
                    out += self.unlike(f"{path}/{key}", value, left.pop(key), final, key)
                continue
            there = [k for k in marked[self.was(key)] if k in left]
            if not there:
                out.append((f"{path}/{key}", "the new identity does not stand here"))
            else:
                out += self.unlike(f"{path}/{there[0]}", value, left.pop(there[0]), True, key)
            if not final and key in left and not differences(value, left[key]):
                del left[key]
        for key in left:
            what = "still names the old identity" if self.names_old(key) else "was not there before"
            out.append((f"{path}/{key}", what))
        return out

    def unlike_lists(self, path, was, now, final, name):
        of_principals = name in ("value", "users") and all(isinstance(w, dict) and ("principal" in w or "identifier" in w) for w in was)
        # A rule about one principal stands beside another one until clean-up.
        alternatives = name == "dnfCondition" and len(was) != len(now)
        if of_principals or alternatives or name in SETS or name == "Resources" or all(self.was(w) in MARKS.values() or not self.old.in_(w) for w in was) and self.old.in_(was):
            return self.unlike_sets(path, was, now, final, name)
        if len(was) != len(now):
            return [(path, f"had {len(was)} entries and has {len(now)}")]
        out = []
        for n, (left, right) in enumerate(zip(was, now)):
            out += self.unlike(f"{path}/{n}", left, right, final, "")
        return out

    def unlike_sets(self, path, was, now, final, name):
        free = {"id", "name"} if name == "federatedIdentityCredentials" else {"displayName"} if name in ("value", "users") else \
            {"id", "displayName", "schemas", "active"} if name == "Resources" else set()

        def plain(entry, marked):
            entry = marked(tidy_policy(entry) if name == "accessPolicies" else entry)
            if name == "Rows":
                # What a cluster shows of a principal beside its full name is looked up.
                looked_up = ("", MARKS["principal"], self.old_doc["name"], self.new_doc["name"])
                return canonical([cell for cell in entry if cell not in looked_up]).lower()
            return canonical({k: v for k, v in entry.items() if k not in free} if isinstance(entry, dict) else entry)
        out, left = [], list(now)
        others = [w for w in was if not self.old.in_(w)]
        stay = [n for n in now if n in others]
        if stay != others:
            out.append((path, "entries of others differ, or their order does"))
        left = [n for n in left if n not in others]
        for entry in (w for w in was if self.old.in_(w)):
            twins = [n for n in left if plain(n, self.is_) == plain(entry, self.was) and self.new.in_(n)]
            if len(twins) != 1:
                out.append((path, f"{len(twins)} twins of {show(entry)}"))
            for twin in twins:
                left.remove(twin)
            if not final and entry in left:
                left.remove(entry)
            elif not final and name in GRANT_LISTS:
                out.append((path, f"the old entry is gone before the clean-up: {show(entry)}"))
        for entry in left:
            still = "still names the old identity" if self.old.in_(entry) else "was not there before"
            out.append((path, f"{still}: {show(entry)}"))
        return out

    # The directory and the data planes.
    def graph(self):
        before, after = self.before.get("graph", {}), self.after.get("graph", {})
        for name in sorted(set(before) | set(after)):
            was, now = before.get(name) or [], after.get(name) or []
            if name == "signIns":
                for item in was:
                    if item not in now:
                        self.say("graph/signIns", f"a sign-in is gone: {show(item)}")
            elif name in FREE_LISTS:
                self.free_list(name, was, now)
            else:
                self.objects(name, was, now)

    def objects(self, name, was, now):
        own = {self.old.words["principal"].lower(), self.new.words["principal"].lower()} if name == "servicePrincipals" else set()
        there, seen = {n["id"].lower(): n for n in now}, {w["id"].lower() for w in was}
        if len(there) != len(now):
            self.say(f"graph/{name}", "an id stands twice")
        for item in was:
            key, where = item["id"].lower(), f"graph/{name}/{item.get('displayName', item['id'])}"
            if key in own:
                if self.done == (key in there):
                    self.say(where, "is still there" if self.done else "is gone before the clean-up")
            elif key not in there:
                self.say(where, "is gone")
            elif self.old.in_(item):
                self.match(where, "", item, there[key])
            else:
                for path in differences(item, there[key]):
                    self.say(where + path, "has nothing to do with the identity and differs")
        for key, item in there.items():
            if key not in seen and key not in own:
                self.say(f"graph/{name}/{item.get('displayName', key)}", "was made, and nothing before asks for it")

    def free_list(self, name, was, now):
        def plain(item, marked):
            if name == "assignments":
                # Of an access package: who has which, by which policy, until when.
                end = (item.get("schedule") or {}).get("expiration", {}).get("endDateTime")
                return canonical([marked(item["target"]["objectId"]), item["accessPackage"]["id"], (item.get("assignmentPolicy") or {}).get("id"), end])
            return canonical(marked({k: v for k, v in item.items() if k != "id" and k not in HISTORY | COMPUTED and v is not None}))
        left = list(now)
        for item in was:
            if not self.old.in_(item):
                if item in left:
                    left.remove(item)
                else:
                    self.say(f"graph/{name}", f"has nothing to do with the identity and is gone: {show(item)}")
                continue
            twins = [n for n in left if plain(n, self.is_) == plain(item, self.was) and self.new.in_(n)]
            if len(twins) != 1:
                self.say(f"graph/{name}", f"{len(twins)} twins of {show(item)}")
            left = [n for n in left if n not in twins]
            if not self.done:
                if item in left:
                    left.remove(item)
                else:
                    self.say(f"graph/{name}", f"is gone before the clean-up: {show(item)}")
        for item in left:
            self.say(f"graph/{name}", f"is left over: {show(item)}")

    def data(self):
        was, now = dict(self.before.get("data") or {}), dict(self.after.get("data") or {})
        self.free_data(was, now)
        for key in sorted(set(was) | set(now)):
            if key not in now and not self.names_old(key):
                self.say(f"data/{key}", "is gone")
        self.match("data", "", was, now) if self.old.in_(was) else \
            [self.say(f"data{path}", "differs") for path in differences(was, now)]

    def free_data(self, was, now):
        """Takes the records with free names that name the identity out of both, and compares them by what they say."""
        def said(key, doc, marked):
            collection = FREE_DATA.match(key)["collection"].lower()
            doc = {("roleDefinitionId" if k == "roleId" else k): v for k, v in doc.items() if k not in ("id", "name", "type")}
            # Where a record stands says its scope, as its scope does.
            props = {k: v for k, v in (doc.pop("properties", None) or {}).items() if k != "scope"}
            return canonical([collection, marked(doc | props)])
        twins = defaultdict(list)
        for key in [k for k, v in now.items() if FREE_DATA.match(k) and self.new.in_(v)]:
            twins[said(key, now[key], self.is_)].append(key)
            if key not in was:
                del now[key]
        for key in [k for k, v in was.items() if FREE_DATA.match(k) and self.old.in_(v)]:
            have = twins.pop(said(key, was[key], self.was), [])
            if len(have) != 1:
                self.say(f"data/{key}", f"has {len(have)} twins on the new identity")
            old, stands = was.pop(key), now.pop(key, None)
            if key in have:
                continue
            if self.done and stands is not None:
                self.say(f"data/{key}", "is still there")
            elif not self.done and stands != old:
                self.say(f"data/{key}", "is gone before the clean-up, or differs")
        for keys in twins.values():
            for key in keys:
                self.say(f"data/{key}", "was made, and nothing before asks for it")

    def nothing_names_the_old(self):
        for doc in self.after["arm"]["resources"]:
            for path in [] if REQUEST.match(doc["type"].lower()) else self.old.places(doc):
                self.say(f"{doc['id']} {path}", "still names the old identity")
        rest = {k: v for k, v in (self.after.get("graph") or {}).items() if k != "signIns"}
        for root, value in (("graph", rest), ("data", self.after.get("data") or {})):
            for path in self.old.places(value):
                self.say(f"{root}{path}", "still names the old identity")


def differences(was, now, path=""):
    """The JSON pointers at which two values differ."""
    if isinstance(was, dict) and isinstance(now, dict):
        out = []
        for key in list(was) + [k for k in now if k not in was]:
            if key not in was or key not in now:
                out.append(f"{path}/{key}")
            else:
                out += differences(was[key], now[key], f"{path}/{key}")
        return out
    if isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        return [p for n, (a, b) in enumerate(zip(was, now)) for p in differences(a, b, f"{path}/{n}")]
    return [] if type(was) is type(now) and was == now else [path or "/"]


def compare(before, after, old_id, new_id, phase="done", to=None):
    """The differences between what should stand after the phase and what does, one line each; empty if none."""
    return Comparison(before, after, old_id, new_id, phase, to).run()


def main():
    parser = argparse.ArgumentParser(description="Judges a relocation by the estates before and after.")
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--identity", required=True, help="resource id of the old identity")
    parser.add_argument("--new-id", required=True, help="resource id of the new identity")
    parser.add_argument("--phase", choices=["done", "move"], default="done")
    parser.add_argument("--to", help="target region; else what BEFORE says under demo")
    args = parser.parse_args()
    try:
        before, after = (json.load(open(f, encoding="utf-8")) for f in (args.before, args.after))
    except (OSError, ValueError) as error:
        print(f"compare.py: {error}", file=sys.stderr)
        return 2
    found = compare(before, after, args.identity, args.new_id, args.phase, args.to)
    for line in found:
        print(line)
    print(f"{len(found)} differences after {args.phase}" if found else f"no difference after {args.phase}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
