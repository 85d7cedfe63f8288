"""`az` as a person uses it: a configuration directory of its own, and the simulator as its cloud."""

import json
import os
import subprocess


class Az:
    """Runs `az`. A call gives what it printed as JSON; `fails` gives what it said on stderr."""

    def __init__(self, simulator, directory):
        self.simulator = simulator
        self.environment = {
            **os.environ,
            "AZURE_CONFIG_DIR": str(directory),
            "AZURE_CORE_COLLECT_TELEMETRY": "false",
            "AZURE_CORE_NO_COLOR": "true",
            "AZURE_CORE_ONLY_SHOW_ERRORS": "true",
            "AZURE_CORE_DISABLE_PROGRESS_BAR": "true",
            "AZURE_CLI_DISABLE_CONNECTION_VERIFICATION": "",
            # az reads this one for its calls and for its token requests.
            "REQUESTS_CA_BUNDLE": simulator.ca,
            # No browser, no keyring, nothing of whoever runs the tests.
            "HOME": str(directory),
        }

    def run(self, *words, **variables):
        """Runs it, and gives exit code, stdout and stderr."""
        command = [os.environ["FERRY_CONFORMANCE_AZ"], *words]
        ran = subprocess.run(
            command,
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )
        return ran.returncode, ran.stdout, ran.stderr

    def __call__(self, *words):
        code, out, err = self.run(*words, "--output", "json")
        assert code == 0, f"az {' '.join(words)}\nexit {code}\n{out}\n{err}"
        return json.loads(out) if out.strip() else None

    def fails(self, code, *words):
        """Runs what Azure refuses: the exit code must be this one."""
        ended, out, err = self.run(*words, "--output", "json")
        assert ended == code, f"az {' '.join(words)}\nexit {ended}, not {code}\n{out}\n{err}"
        return err

    def register(self):
        """Makes the simulator the active cloud."""
        self.run("config", "set", "core.instance_discovery=false", "extension.use_dynamic_install=no")
        name = ["--name", "Ferry"]
        code, _, err = self.run("cloud", "register", *name, "--endpoint-resource-manager", self.simulator.url)
        assert code == 0, err
        code, _, err = self.run("cloud", "set", *name)
        assert code == 0, err

    def login(self):
        """Signs in with the managed identity that the simulator gives to anybody."""
        code, out, err = self.run("login", "--identity", **self.app_service())
        assert code == 0, f"{out}\n{err}"

    def app_service(self):
        """The variables of an app whose managed identity is the simulator's operator."""
        return {"IDENTITY_ENDPOINT": f"{self.simulator.url}/msi/token", "IDENTITY_HEADER": "ferry"}
