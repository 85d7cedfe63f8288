#!/usr/bin/env python3
"""Whether what `run --json`, `show --json` and `plan --json` print has the members that the design calls contract.

    check_output.py events|show|plan FILE      (`-` is standard input)

Each function gives a list of sentences, empty where all is well. Python 3.11, standard library only.
"""
import json
import sys

EVENTS = {"run", "phase", "step", "change", "finding", "wait", "approval", "result"}
STATUSES = {"running", "paused", "failed", "done", "rolled-back"}
STANDINGS = {"intended", "done", "failed", "undone"}
SEVERITIES = {"info", "warning", "difference", "error"}
UNKNOWN = "(known after move)"


def members(where, value, wanted):
    """What of `wanted` (name: type or types) is missing in a map, or of another type."""
    if not isinstance(value, dict):
        return [f"{where} is no object"]
    out = [f"{where} has no member {name}" for name in wanted if name not in value]
    return out + [f"{where}.{name} is {value[name]!r}" for name, kind in wanted.items()
                  if name in value and not (isinstance(value[name], kind) and not (kind is int and isinstance(value[name], bool)))]


def rows(where, value, wanted):
    if not isinstance(value, list):
        return [f"{where} is no array"]
    return [line for n, row in enumerate(value) for line in members(f"{where}[{n}]", row, wanted)]


FINDING = {"severity": str, "code": str, "target": str, "message": str}


def findings(where, value):
    return rows(where, value, FINDING) + [f"{where}: severity {row.get('severity')}" for row in value if row.get("severity") not in SEVERITIES]


def targets(where, changes):
    """Targets are paths as sent, relative to the endpoint and without query."""
    out = []
    for n, change in enumerate(changes):
        target = change.get("target", "")
        if not (target.startswith(("/", "https://"))) or "?" in target:
            out.append(f"{where}[{n}].target is {target}")
        if change.get("method") not in ("PUT", "PATCH", "POST", "DELETE"):
            out.append(f"{where}[{n}].method is {change.get('method')}")
    seqs = [change.get("seq") for change in changes]
    if seqs != sorted(set(seqs), key=lambda n: (n is None, n)):
        out.append(f"{where}: seq does not rise: {seqs}")
    return out


def check_events(text):
    out, events = [], []
    for n, line in enumerate(text.splitlines()):
        try:
            events.append(json.loads(line))
        except ValueError:
            out.append(f"line {n + 1} is no JSON: {line[:80]}")
    if not events:
        return out + ["no event at all"]
    for n, event in enumerate(events):
        out += members(f"event {n + 1}", event, {"event": str, "run": str})
        if event.get("event") not in EVENTS:
            out.append(f"event {n + 1} is called {event.get('event')}")
    if events[-1].get("event") != "result":
        out.append(f"the last event is {events[-1].get('event')}")
    if sum(e.get("event") == "result" for e in events) != 1:
        out.append("there is not one result")
    if len({e.get("run") for e in events}) != 1:
        out.append(f"events of several runs: {sorted({str(e.get('run')) for e in events})}")
    return out


def check_show(shown):
    out = members("show", shown, {"run": str, "runbook": str, "params": dict, "cloud": (str, dict), "status": str, "phases": list,
                                  "changes": list, "findings": list, "approvals": list, "handOvers": list, "unseen": list})
    if out:
        return out
    if shown["status"] not in STATUSES:
        out.append(f"status is {shown['status']}")
    out += rows("phases", shown["phases"], {"name": str, "status": str})
    out += [f"phase {p.get('name')} is done and has no result" for p in shown["phases"] if p.get("status") == "done" and "result" not in p]
    out += rows("changes", shown["changes"], {"seq": int, "phase": str, "step": str, "op": str, "method": str, "target": str, "status": str})
    for n, change in enumerate(shown["changes"]):
        if change.get("status") not in STANDINGS:
            out.append(f"changes[{n}].status is {change.get('status')}")
        if change.get("status") == "done" and "requestId" not in change:
            out.append(f"changes[{n}] is done and has no requestId")
        if "edits" in change:
            out += rows(f"changes[{n}].edits", change["edits"], {"pointer": str})
    return out + targets("changes", shown["changes"]) + findings("findings", shown["findings"])


def check_plan(plan):
    out = members("plan", plan, {"changes": list, "findings": list, "unseen": list, "map": dict})
    if out:
        return out
    out += rows("changes", plan["changes"], {"seq": int, "phase": str, "step": str, "op": str, "method": str, "target": str,
                                             "effect": str, "why": str})
    out += [f"changes[{n}] has no body" for n, change in enumerate(plan["changes"]) if "body" not in change]
    for n, change in enumerate(plan["changes"]):
        for segment in change["target"].split("/"):
            if "known after" in segment and segment != UNKNOWN:
                out.append(f"changes[{n}].target has {segment}")
    for wrong in unknowns(plan["changes"]):
        out.append(f"a value is {wrong}")
    out += members("map", plan["map"], {"identity": dict, "grants": list, "bindings": list, "trust": dict})
    return out + targets("changes", plan["changes"]) + findings("findings", plan["findings"])


def unknowns(value):
    """Values that hold what only Azure can give, and are not exactly the words for it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in ("why", "message", "step", "target"):
                yield from unknowns(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from unknowns(inner)
    elif isinstance(value, str) and "known after" in value and any("known after" in s and s != UNKNOWN for s in value.split("/")):
        yield value


CHECKS = {"events": check_events, "show": lambda text: check_show(json.loads(text)), "plan": lambda text: check_plan(json.loads(text))}


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in CHECKS:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    text = sys.stdin.read() if sys.argv[2] == "-" else open(sys.argv[2], encoding="utf-8").read()
    found = CHECKS[sys.argv[1]](text)
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
