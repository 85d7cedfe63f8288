"""`ferry sim` as a process that ends with the test."""

import json
import os
import ssl
import subprocess
import tempfile
import urllib.request
from pathlib import Path


class Simulator:
    """A simulator of an estate: `url` is its endpoint, `ca` the authority to trust where it speaks TLS."""

    def __init__(self, estate, *options, tls=True, directory=None):
        self._owned = None if directory else tempfile.TemporaryDirectory(prefix="ferry-conformance-")
        self.directory = Path(directory or self._owned.name)
        file = self.directory / "estate.json"
        file.write_text(json.dumps(estate))
        self.estate_given = estate
        self.tenant = estate["tenantId"]
        command = [os.environ["FERRY"], "sim", "--estate", str(file), *options]
        if tls:
            command += ["--tls", str(self.directory / "tls")]
        if "--lag" not in options:
            command += ["--lag", "0.2"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("ready "):
            self.stop()
            raise RuntimeError(f"ferry sim did not start: {line!r}")
        self.url = line.split()[1]
        self.ca = str(self.directory / "tls" / "ca.pem") if tls else None

    def _ask(self, path, body=None):
        context = ssl.create_default_context(cafile=self.ca) if self.ca else None
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers={"content-type": "application/json"})
        with urllib.request.urlopen(request, context=context, timeout=30) as answer:
            return answer.read().decode()

    def estate(self):
        """The documents as they are stored now."""
        return json.loads(self._ask("/_sim/estate"))

    def document(self, resource):
        """The stored document with this id, or None."""
        found = (one for one in self.estate()["arm"]["resources"] if one["id"].lower() == resource.lower())
        return next(found, None)

    def log(self):
        """The requests so far, one dict each."""
        return [json.loads(line) for line in self._ask("/_sim/log").splitlines() if line]

    def faults(self, *faults):
        """Adds faults behind those in force."""
        self._ask("/_sim/faults", list(faults))

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        if self._owned:
            self._owned.cleanup()
            self._owned = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
