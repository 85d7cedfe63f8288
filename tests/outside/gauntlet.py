#!/usr/bin/env python3
"""Sends one random estate after another through every way of relocating, and judges each from outside.

    gauntlet.py --ferry PATH [--seeds 1-20] [--only WAY,…] [--keep DIR] [--plain-estates]

Ways: plain, serial, unnamed, move, kill, lag, plan, planned, twice, overlap, swap, skip, only, except, keep, json, approve. For each a
seed of its own decides sizes, lag, latency and concurrency. Exit 0 if all pass; 1 otherwise, with what was seen kept.
Python 3.11, standard library only; knows only what the design calls contract.
"""
import argparse
import json
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
from check_output import UNKNOWN, check_events, check_plan, check_show  # noqa: E402
from compare import compare, differences  # noqa: E402
from judge import Failed, Simulator, is_write, sent_twice  # noqa: E402
from random_estate import build  # noqa: E402


class Way:
    """One estate, one simulator, and commands of Ferry against it."""

    def __init__(self, args, way, seed):
        self.args, self.way, self.rng = args, way, random.Random(f"{way}-{seed}")
        self.folder = args.root / f"{way}-{seed}"
        self.folder.mkdir(parents=True)
        rng = self.rng
        self.estate = build(f"{way}-{seed}", rng.randint(0, 8), rng.randint(6, 20), rng.randint(4, 19),
                            rng.choice(["westeurope", "uksouth", "westus3"]), not args.plain_estates)
        self.file = self.folder / "estate.json"
        self.file.write_text(json.dumps(self.estate, indent=1, ensure_ascii=False), encoding="utf-8")
        wanted = self.estate["demo"]["relocate"]
        self.old, self.to = wanted["identity"], wanted["to"]
        name = self.old.rsplit("/", 1)[1]
        self.new_name = f"{name}-{self.to}" if way == "unnamed" or rng.random() < 0.3 else rng.choice([f"{name}-new", f"new-{name}", "id-moved"])
        self.new = f"{self.old.rsplit('/', 1)[0]}/{self.new_name}"
        self.count = 0

    def simulator(self, lag=None, latency=None):
        lag = lag if lag is not None else self.rng.choice(["0", "off", "0.3", "1"])
        latency = latency if latency is not None else self.rng.choice([0, 0, 3])
        options = ["--lag", lag, *(["--latency", str(latency)] if latency else [])]
        return Simulator(self.args.ferry, self.file, options, self.folder / "sim.txt")

    def params(self, *more):
        name = [] if self.way == "unnamed" else [f"name={self.new_name}"]
        given = [f"identity={self.old}", f"to={self.to}", *name, "hand_overs=accept", *more]
        return given

    def command(self, *words):
        return [self.args.ferry, *words, "--state", str(self.folder / "state")]

    def environment(self):
        return {"PATH": "/usr/bin:/bin", "NO_COLOR": "1", "HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder)}

    def start(self, *words):
        out = open(self.folder / f"out-{self.count}.txt", "wb")
        err = open(self.folder / f"err-{self.count}.txt", "wb")
        err.write((" ".join(words) + "\n").encode())
        err.flush()
        self.count += 1
        process = subprocess.Popen(self.command(*words), stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=self.folder, env=self.environment())
        process.number = self.count - 1
        return process

    def end(self, process, code):
        try:
            got = process.wait(300)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Failed("not done after 300 s") from None
        out = (self.folder / f"out-{process.number}.txt").read_text(encoding="utf-8", errors="replace")
        err = (self.folder / f"err-{process.number}.txt").read_text(encoding="utf-8", errors="replace")
        if code is not None and got != code:
            raise Failed(f"exit code {got} instead of {code}: {err[:200]}\n{err[-1800:]}")
        return out, err

    def ferry(self, code, *words):
        return self.end(self.start(*words), code)

    def run(self, sim, code, *more, flags=()):
        return self.ferry(code, "run", "relocate", "--cloud", sim.url, *self.params(*more), "--yes", *flags)

    def keep(self, **values):
        for name, value in values.items():
            (self.folder / f"{name}.json").write_text(json.dumps(value, indent=1, ensure_ascii=False), encoding="utf-8")

    def judged(self, sim, before, phase="done"):
        after, log = sim.estate(), sim.requests()
        self.keep(before=before, after=after, log=log)
        return compare(before, after, self.old, self.new, phase, self.to) + sent_twice(log)


def plain(way):
    with way.simulator() as sim:
        before = sim.estate()
        way.run(sim, 0, flags=["--concurrency", str(way.rng.choice([1, 2, 16, 64]))])
        return way.judged(sim, before)


def serial(way):
    with way.simulator() as sim:
        before = sim.estate()
        way.run(sim, 0, flags=["--concurrency", "1"])
        return way.judged(sim, before)


def lag(way):
    with way.simulator(lag=way.rng.choice(["2", "5"])) as sim:
        before = sim.estate()
        way.run(sim, 0)
        return way.judged(sim, before)


def move(way):
    with way.simulator() as sim:
        before = sim.estate()
        way.run(sim, 3, flags=["--until", "move"])
        found = way.judged(sim, before, "move")
        way.ferry(0, "resume", "last", "--yes")
        return found + way.judged(sim, before)


def kill(way):
    """Killed several times, each after some more writes or a random time; then resumed to the end."""
    with way.simulator(latency=way.rng.choice([2, 5, 10])) as sim:
        before = sim.estate()
        process = way.start("run", "relocate", "--cloud", sim.url, *way.params(), "--yes")
        for _ in range(way.rng.randint(1, 5)):
            after = sum(map(is_write, sim.requests())) + way.rng.randint(1, 12)
            end = time.monotonic() + 60
            while process.poll() is None and sum(map(is_write, sim.requests())) < after and time.monotonic() < end:
                time.sleep(0.04)
            time.sleep(way.rng.random() * 0.02)
            if process.poll() is not None:
                break
            process.send_signal(signal.SIGKILL)
            process.wait()
            process = way.start("resume", "last", "--yes")
        way.end(process, 0)
        found = way.judged(sim, before)
        shown = json.loads(way.ferry(0, "show", "last", "--json")[0])
        return found + [f"{c['method']} {c['target']} is {c['status']}" for c in shown["changes"] if c["status"] == "intended"]


def same(planned, made):
    """Where the changes of a plan and of a run differ, in method, target and step."""
    def like(a, b):
        a, b = a.split("/"), b.split("/")
        return len(a) == len(b) and all(x == y or x == UNKNOWN for x, y in zip(a, b))
    out = []
    if len(planned) != len(made):
        out.append(f"{len(planned)} changes planned, {len(made)} made")
    for n, (a, b) in enumerate(zip(planned, made)):
        for key in ("phase", "method", "op"):
            if a[key] != b[key]:
                out.append(f"change {n}: {key} {a[key]} planned, {b[key]} made: {a['target']} / {b['target']}")
        for key in ("target", "step"):
            if not like(a[key], b[key]):
                out.append(f"change {n}: {key} {a[key]} planned, {b[key]} made")
        if out:
            return out[:8]
    return out


def planned(way):
    """Planned into a file, then carried out from it, in parallel: exactly its changes, each once."""
    with way.simulator() as sim:
        before = sim.estate()
        file = way.folder / "plan.json"
        way.ferry(0, "plan", "relocate", "--cloud", sim.url, *way.params(), "--out", str(file))
        way.ferry(0, "run", "--plan-file", str(file), "--yes")
        shown = json.loads(way.ferry(0, "show", "last", "--json")[0])
        plan = json.loads(file.read_text(encoding="utf-8"))
        key = lambda change: (change["step"], change["method"])  # noqa: E731
        left, made = sorted(map(key, plan["changes"])), sorted(map(key, shown["changes"]))
        return way.judged(sim, before) + [f"planned or made alone: {odd}" for odd in set(left) ^ set(made)]


def plan(way):
    more = way.rng.choice([[], [], ["bindings=overlap"], ["bindings=swap"], ["bindings=skip"], ["keep_old=true"]])
    with way.simulator() as sim:
        before = sim.estate()
        out, _ = way.ferry(0, "plan", "relocate", "--cloud", sim.url, *way.params(*more), "--json")
        planned = json.loads(out)
        found = [f"a plan wrote: {line['method']} {line['path']}" for line in sim.requests() if is_write(line)]
        found += [f"a plan changed {path}" for path in differences(before, sim.estate())]
        found += check_plan(planned)
        way.run(sim, 0, *more, flags=["--concurrency", "1"])
        shown = json.loads(way.ferry(0, "show", "last", "--json")[0])
        way.keep(plan=planned, show=shown)
        return found + check_show(shown) + same(planned["changes"], shown["changes"]) + sent_twice(sim.requests())


def as_json(way):
    with way.simulator() as sim:
        out, err = way.ferry(0, "run", "relocate", "--cloud", sim.url, *way.params(), "--yes", "--json")
        found = check_events(out)
        shown = json.loads(way.ferry(0, "show", "last", "--json")[0])
        if shown["status"] != "done":
            found.append(f"status is {shown['status']}")
        return found + check_show(shown)


def twice(way):
    with way.simulator() as sim:
        before = sim.estate()
        _, err = way.run(sim, 3, flags=["--until", way.rng.choice(["prepare", "move", "verify"])])
        count = sum(map(is_write, sim.requests()))
        _, err = way.run(sim, 1)
        found = [] if "ferry resume" in err else [f"no resume command: {err[-300:]}"]
        if sum(map(is_write, sim.requests())) != count:
            found.append("the second run wrote")
        way.ferry(0, "resume", "last", "--yes")
        found += way.judged(sim, before)
        count = sum(map(is_write, sim.requests()))
        out, err = way.run(sim, 0)
        if "done" not in out + err:
            found.append(f"does not say that it is done: {out} {err}")
        out, err = way.ferry(0, "resume", "last")
        if "done" not in out + err:
            found.append(f"resume does not say that it is done: {out} {err}")
        if sum(map(is_write, sim.requests())) != count:
            found.append("a run of what is done wrote")
        return found


def approve(way):
    """Without --yes and terminal: exit 3 with the very command that goes on."""
    with way.simulator() as sim:
        before = sim.estate()
        _, err = way.ferry(3, "run", "relocate", "--cloud", sim.url, *way.params())
        found = way.judged(sim, before, "move")
        lines = [line.strip() for line in err.splitlines()]
        commands = [line[line.index("ferry "):].split() for line in lines if "ferry approve" in line or "ferry resume" in line]
        if not any(c[1] == "approve" for c in commands):
            return found + [f"names no approve command: {err[-500:]}"]
        for command in commands:
            words = command[1:4] if command[1] == "approve" else command[1:3]
            way.ferry(0, *words)
        return found + way.judged(sim, before)


def under(prefixes, doc):
    return any(doc["id"].lower().startswith(p.lower()) for p in prefixes)


def mentions(way, doc):
    props = next(d for d in way.estate["arm"]["resources"] if d["id"] == way.old)["properties"]
    text = json.dumps(doc, ensure_ascii=False).lower()
    return any(word.lower() in text for word in (way.old, props["clientId"], props["principalId"]))


TRUST = ("microsoft.authorization/", "microsoft.managedidentity/", "/sqlroleassignments", "microsoft.keyvault/vaults")


def bindings_of(way):
    """Top-level resources that use the identity."""
    out = []
    for doc in way.estate["arm"]["resources"]:
        if doc["id"].count("/") == 8 and mentions(way, doc) and not any(t in doc["type"].lower() for t in TRUST):
            out.append(doc["id"])
    return out


def left(way, sim, before, untouched):
    """The judgement where some bindings were left on the old identity: those are as they were, it keeps everything."""
    after = sim.estate()
    way.keep(before=before, after=after, log=sim.requests())
    standing = {d["id"].lower(): d for d in after["arm"]["resources"]}
    out = []
    keep = []
    for doc in before["arm"]["resources"]:
        if untouched(doc):
            for path in differences(doc, standing.get(doc["id"].lower())):
                out.append(f"{doc['id']}{path} was to be left alone and differs")
        else:
            keep.append(doc)
    some = {d["id"].lower() for d in before["arm"]["resources"]} - {d["id"].lower() for d in keep}
    b = before | {"arm": {"resources": keep}}
    a = after | {"arm": {"resources": [d for d in after["arm"]["resources"] if d["id"].lower() not in some]}}
    found = compare(b, a, way.old, way.new, "move", way.to)
    # A tag of a vault is a binding in a document that is a grant too.
    return out + [line for line in found if "/vaults/kv-" not in line or "/tags/" not in line] + sent_twice(sim.requests())


def is_binding(way, doc):
    """Whether a document is a binding's: it names the identity, and is no grant and no trust. A vault is both."""
    kind = doc["type"].lower()
    if kind == "microsoft.authorization/policyassignments":
        return mentions(way, doc)
    if kind == "microsoft.authorization/roleassignments" and not under([way.old], doc):
        old = next(d for d in way.estate["arm"]["resources"] if d["id"] == way.old)
        return mentions(way, doc) and doc["properties"]["principalId"] != old["properties"]["principalId"]
    return mentions(way, doc) and not any(t in kind for t in TRUST)


def skip(way):
    with way.simulator() as sim:
        before = sim.estate()
        way.run(sim, 0, "bindings=skip")
        return left(way, sim, before, lambda doc: is_binding(way, doc))


def only(way):
    chosen = way.rng.sample(bindings_of(way), 2)
    with way.simulator() as sim:
        before = sim.estate()
        way.run(sim, 0, "only=" + ",".join(chosen))
        return left(way, sim, before, lambda doc: is_binding(way, doc) and not under(chosen, doc))


def except_(way):
    chosen = way.rng.sample(bindings_of(way), 2)
    with way.simulator() as sim:
        before = sim.estate()
        way.run(sim, 0, "except=" + ",".join(chosen))
        return left(way, sim, before, lambda doc: is_binding(way, doc) and under(chosen, doc))


def keep(way):
    with way.simulator() as sim:
        before = sim.estate()
        way.run(sim, 0, "keep_old=true")
        found = way.judged(sim, before)
        # The old identity and what is on it stay; all else is as after a whole relocation.
        return [line for line in found if not line.lower().startswith((way.old.lower() + ":", way.old.lower() + " ", way.old.lower() + "/"))]


def wished(mode):
    def wish(way):
        with way.simulator() as sim:
            before = sim.estate()
            way.run(sim, 0, f"bindings={mode}")
            return way.judged(sim, before)
    return wish


WAYS = {"plain": plain, "serial": serial, "unnamed": plain, "move": move, "kill": kill, "lag": lag, "plan": plan, "planned": planned, "twice": twice,
        "overlap": wished("overlap"), "swap": wished("swap"), "skip": skip, "only": only, "except": except_, "keep": keep,
        "json": as_json, "approve": approve}


def main():
    parser = argparse.ArgumentParser(description="Every way of relocating, on random estates.")
    parser.add_argument("--ferry", required=True)
    parser.add_argument("--seeds", default="1-2")
    parser.add_argument("--only", default=",".join(WAYS))
    parser.add_argument("--keep")
    parser.add_argument("--plain-estates", action="store_true", help="without the rarer things")
    args = parser.parse_args()
    args.ferry = str(pathlib.Path(args.ferry).resolve())
    args.root = pathlib.Path(args.keep or tempfile.mkdtemp(prefix="ferry-gauntlet-")).resolve()
    first, _, last = args.seeds.partition("-")
    bad = 0
    for seed in range(int(first), int(last or first) + 1):
        for name in args.only.split(","):
            began = time.monotonic()
            way = Way(args, name, seed)
            try:
                found = WAYS[name](way)
            except Failed as error:
                found = [str(error)]
            except (OSError, ValueError, KeyError) as error:
                found = [f"the judge could not go on: {error!r}"]
            bad += bool(found)
            print(f"{'FAIL' if found else 'ok  '} {name}-{seed} ({time.monotonic() - began:.1f} s)", flush=True)
            for line in found[:25]:
                print(f"  {line}")
            if len(found) > 25:
                print(f"  … and {len(found) - 25} more", flush=True)
            if not found and not args.keep:
                shutil.rmtree(way.folder)
    if bad:
        print(f"files: {args.root}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
