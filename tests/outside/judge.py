#!/usr/bin/env python3
"""Runs a built Ferry against its simulator from outside and judges what it did.

    judge.py --ferry PATH [--seeds 1-5] [--estate FILE]… [--until move] [--kill] [--param KEY=VALUE]…

For each estate (random ones by seed, or files): starts `ferry sim`, keeps the estate, runs `ferry run relocate`,
takes the estate again and compares (`compare.py`). With `--kill` the run is killed (SIGKILL) after a random number
of the writes that an undisturbed move makes, then resumed; the simulator's log must show no write that was sent again
after it had been answered with 2xx. Exit 0 if every estate passes, 1 otherwise; what was seen is kept on failure.
Python 3.11, standard library only; knows only what the design calls contract.
"""
import argparse
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
from compare import compare, differences  # noqa: E402
from random_estate import build  # noqa: E402

# POSTs that read.
READS = re.compile(
    r"/(list[a-z]*|getbyids|getmembergroups|checkmembergroups|getmemberobjects|checkmemberobjects|getentities|token"
    r"|\$batch|query|mgmt|checkaccess|checknameavailability|checkpolicyrestrictions|validate)$"
    r"|/providers/microsoft\.resourcegraph/|^/_sim/|^/metadata/", re.I)
WAIT_READY = 30


class Failed(Exception):
    """Ferry did not do what it must for the judge to go on."""


class Simulator:
    """A running `ferry sim`; a context manager that ends it."""

    def __init__(self, ferry, estate, options, log):
        self.command = [ferry, "sim", "--estate", str(estate), "--port", "0", *options]
        self.log = log

    def __enter__(self):
        self.errors = open(self.log, "wb")
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=self.errors, text=True)
        lines = []
        reader = threading.Thread(target=lambda: lines.append(self.process.stdout.readline()), daemon=True)
        reader.start()
        reader.join(WAIT_READY)
        match = re.match(r"ready (https?://\S+)", lines[0] if lines else "")
        if not match:
            self.__exit__()
            raise Failed(f"`ferry sim` did not say ready, but {lines[0]!r}" if lines else "`ferry sim` did not say ready in time")
        self.url = match.group(1).rstrip("/")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.errors.close()

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:
            return answer.read().decode("utf-8")

    def estate(self):
        return json.loads(self.get("/_sim/estate"))

    def requests(self):
        text = self.get("/_sim/log").strip()
        return json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines() if line]


def is_write(line):
    path = line["path"].split("?")[0]
    return line["method"] in ("PUT", "PATCH", "DELETE") or line["method"] == "POST" and not READS.search(path)


def succeeded(line):
    return 200 <= int(line["status"]) < 300


def sent_twice(lines):
    """Writes that were sent again, the same in method, path and body, after an answer of 2xx."""
    seen, out = {}, []
    for line in sorted(lines, key=lambda entry: entry["seq"]):
        if not is_write(line):
            continue
        key = (line["method"], line["path"].lower(), line.get("bodyHash"))
        if key in seen:
            out.append(f"{line['method']} {line['path']} was sent again: seq {line['seq']} after {seen[key]} had been answered")
        if succeeded(line):
            seen.setdefault(key, line["seq"])
    return out


class Case:
    """One estate: its files, its identity, and the ways to run Ferry on it."""

    def __init__(self, args, name, estate, folder):
        self.args, self.name, self.estate, self.folder = args, name, estate, folder
        folder.mkdir(parents=True)
        self.file = folder / "estate.json"
        self.file.write_text(json.dumps(estate, indent=2, ensure_ascii=False), encoding="utf-8")
        wanted = estate["demo"]["relocate"]
        self.old, self.to = wanted["identity"], args.to or wanted["to"]
        self.new_name = f"{self.old.rsplit('/', 1)[1]}-{self.to}"
        self.new = self.old.rsplit("/", 1)[0] + "/" + self.new_name

    def simulator(self, label):
        options = ["--lag", self.args.lag, *(["--latency", str(self.args.latency)] if self.args.latency else [])]
        return Simulator(self.args.ferry, self.file, options, self.folder / f"{label}-sim.txt")

    def environment(self):
        kept = {k: v for k, v in os.environ.items() if not k.startswith("FERRY_")}
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        return kept | {"NO_COLOR": "1", "HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_STATE_HOME": str(home)}

    def start(self, label, state, words):
        command = [self.args.ferry, *words, "--yes", "--state", str(self.folder / state)]
        with open(self.folder / f"{label}.txt", "ab") as out:
            out.write(("$ " + " ".join(command) + "\n").encode())
            out.flush()
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.folder, env=self.environment())

    def run_words(self, url, until):
        params = [f"identity={self.old}", f"to={self.to}", f"name={self.new_name}", *self.args.param]
        return ["run", "relocate", "--cloud", url, *params, *(["--until", until] if until else [])]

    def finish(self, process, until, label):
        try:
            code = process.wait(self.args.timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Failed(f"{label}: not done after {self.args.timeout} s") from None
        expected = 3 if until else 0
        if code != expected:
            raise Failed(f"{label}: exit code {code} instead of {expected}\n{self.tail(label)}")

    def tail(self, label):
        lines = (self.folder / f"{label}.txt").read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join("    " + line for line in lines[-15:])

    def writes_of_a_move(self):
        with self.simulator("rehearsal") as sim:
            self.finish(self.start("rehearsal", "rehearsal-state", self.run_words(sim.url, "move")), "move", "rehearsal")
            return sum(map(is_write, sim.requests()))

    def judge(self, rng):
        until = self.args.until
        kill_at = rng.randint(1, max(1, self.writes_of_a_move() - 1)) if self.args.kill else None
        with self.simulator("judged") as sim:
            before = sim.estate()
            found = [f"as loaded: {p} differs" for part in ("arm", "graph") for p in differences(self.shape(self.estate, part), self.shape(before, part))]
            process = self.start("run", "state", self.run_words(sim.url, until))
            if kill_at is not None and self.killed(process, sim, kill_at):
                words = ["resume", "last", *(["--until", until] if until else [])]
                self.finish(self.start("resume", "state", words), until, "resume")
            else:
                self.finish(process, until, "run")
            after, log = sim.estate(), sim.requests()
        for name, value in (("before", before), ("after", after), ("log", log)):
            (self.folder / f"{name}.json").write_text(json.dumps(value, indent=2, ensure_ascii=False), encoding="utf-8")
        found += compare(before, after, self.old, self.new, until or "done", self.to)
        return found + sent_twice(log)

    @staticmethod
    def shape(estate, part):
        """The part with documents by id, and without empty lists: order and absence are no difference."""
        if part == "arm":
            return {d["id"]: d for d in estate["arm"]["resources"]}
        return {k: v for k, v in (estate.get(part) or {}).items() if v}

    def killed(self, process, sim, after):
        """Kills the run once it has sent `after` writes; false if it ended before."""
        end = time.monotonic() + self.args.timeout
        while process.poll() is None:
            if sum(map(is_write, sim.requests())) >= after:
                # Somewhere between an answer and the next request, or in the middle of one.
                time.sleep(random.random() * 0.02)
                process.send_signal(signal.SIGKILL)
                process.wait()
                print(f"  killed after {after} writes", file=sys.stderr)
                return True
            if time.monotonic() > end:
                return False
            time.sleep(0.002)
        print("  ended before it could be killed", file=sys.stderr)
        return False


def seeds(text):
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


def main():
    parser = argparse.ArgumentParser(description="Runs Ferry against its simulator and judges what it did.")
    parser.add_argument("--ferry", required=True, help="the binary")
    parser.add_argument("--seeds", default=None, help="random estates, as 1-5 (the default without --estate)")
    parser.add_argument("--estate", action="append", default=[], help="an estate file with demo.relocate (may repeat)")
    parser.add_argument("--until", choices=["move"], help="stop and judge after this phase")
    parser.add_argument("--kill", action="store_true", help="kill the run in move, and resume it")
    parser.add_argument("--param", action="append", help="for the runbook (hand_overs=accept unless given)")
    parser.add_argument("--to", help="target region, else the estate's")
    parser.add_argument("--size", type=int, default=12)
    parser.add_argument("--assignments", type=int, default=18)
    parser.add_argument("--bindings", type=int, default=19)
    parser.add_argument("--lag", default="1", help="of the simulator, in seconds or off")
    parser.add_argument("--latency", type=int, default=0, help="of the simulator, in ms (5 with --kill)")
    parser.add_argument("--timeout", type=float, default=600, help="seconds for one command")
    parser.add_argument("--keep", help="keep all files in this new directory")
    args = parser.parse_args()
    args.ferry = str(pathlib.Path(shutil.which(args.ferry) or args.ferry).resolve())
    args.param = ["hand_overs=accept"] if args.param is None else args.param
    args.latency = args.latency or (5 if args.kill else 0)
    root = pathlib.Path(args.keep or tempfile.mkdtemp(prefix="ferry-judge-")).resolve()
    cases = [(pathlib.Path(f).stem, json.loads(pathlib.Path(f).read_text(encoding="utf-8"))) for f in args.estate]
    for seed in seeds(args.seeds or "1-5") if args.seeds or not args.estate else []:
        cases.append((f"seed-{seed}", build(seed, args.size, args.assignments, args.bindings, args.to or "westeurope")))
    bad = 0
    for name, estate in cases:
        began = time.monotonic()
        try:
            found = Case(args, name, estate, root / name).judge(random.Random(f"{name}-{args.until}"))
        except Failed as error:
            found = [str(error)]
        except (OSError, ValueError, KeyError) as error:
            found = [f"the judge could not go on: {error!r}"]
        bad += bool(found)
        print(f"{'FAIL' if found else 'ok  '} {name} ({time.monotonic() - began:.1f} s)" + (f": {len(found)} differences" if found else ""))
        for line in found[:40]:
            print(f"  {line}")
        if len(found) > 40:
            print(f"  … and {len(found) - 40} more")
    if bad or args.keep:
        print(f"files: {root}", file=sys.stderr)
    else:
        shutil.rmtree(root)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
