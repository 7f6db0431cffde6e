"""A Pulumi engine with a home, a state backend and a copy of the project that are thrown away."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from tests.engine.program_runs import Change, Ran, Run

PROJECT = Path(__file__).resolve().parents[2]
PACKAGES = ("aws", "random")
COPIED = ("__main__.py", "account", "components", "chalice_app", "requirements")
"""Files of the project that the programs read, besides Pulumi's own."""
PASSPHRASE = "throw-away"
HEARS_ALARMS = "alarms@example.com"
"""Address that the deployer of prod sets first."""
NOWHERE = "http://127.0.0.1:9"
"""Port 9 discards: a call that would leave the machine fails at once."""


class EngineError(Exception):
    """The engine did something else than the project promises."""


def installed() -> bool:
    """Return whether there is a `pulumi` on the PATH."""
    return shutil.which("pulumi") is not None


class Engine:
    """folder: a new one, for everything that the engine writes; program: where in the project its Pulumi.yaml lies."""

    def __init__(self, folder: Path, program: str = ".") -> None:
        copy = folder / "project"
        self.project = copy / program
        self._environment = self._make_environment(folder)
        copy.mkdir()
        for name in COPIED:
            source = PROJECT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy)
        for file in PROJECT.glob("Pulumi*.yaml"):
            shutil.copy(file, copy)
        with (copy / "Pulumi.prod.yaml").open("a") as settings:
            settings.write(f"  video-upload-platform:alarmEmails:\n    - {HEARS_ALARMS}\n")

    @staticmethod
    def _make_environment(folder: Path) -> dict[str, str]:
        plugins = folder / "plugins"
        for made in (plugins, folder / "home", folder / "state"):
            made.mkdir(parents=True)
        for package in PACKAGES:
            plugin = plugins / f"pulumi-resource-{package}"
            version = metadata.version(f"pulumi-{package}")
            plugin.write_text(
                "#!/bin/sh\n"
                f'PYTHONPATH="{PROJECT}" exec "{sys.executable}" -m tests.engine.provider {package} {version}\n'
            )
            plugin.chmod(0o755)
        own = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "AWS_"))}
        return own | {
            "PATH": os.pathsep.join([str(plugins), os.environ["PATH"]]),
            "PYTHONPATH": os.pathsep.join(map(str, (PROJECT, PROJECT / "chalice_app", PROJECT / "clients/cli/src"))),
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            # The state is written once for each operation instead of twice for each resource: nothing interrupts these.
            "PULUMI_EXPERIMENTAL": "true",
            "PULUMI_SKIP_CHECKPOINTS": "true",
            # An output that is formatted into a text is an error.
            "PULUMI_ERROR_OUTPUT_STRING": "true",
            "AWS_ACCESS_KEY_ID": "throw-away",
            "AWS_SECRET_ACCESS_KEY": "throw-away",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": NOWHERE,
            "AWS_MAX_ATTEMPTS": "1",
            "HTTPS_PROXY": NOWHERE,
            "NO_PROXY": "127.0.0.1,localhost",
        }

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the copy, as an operator would."""
        return subprocess.run(
            words, cwd=self.project, env=self._environment, capture_output=True, text=True, check=False
        )

    def pulumi(self, *words: str) -> str:
        """Run a `pulumi` command and return its output. Raises EngineError with its reason."""
        ended = self.command("pulumi", "--non-interactive", *words)
        if ended.returncode != 0:
            raise EngineError(f"pulumi {' '.join(words)}: {ended.stdout}{ended.stderr}")
        return ended.stdout

    def run(self, stack: str, runs: Sequence[Run]) -> Iterator[Ran]:
        """Run the copied program, once for each of `runs`, in one process. Raises EngineError."""
        command = [sys.executable, "-m", "tests.engine.program_runs", stack]
        wanted = json.dumps([dataclasses.asdict(run) for run in runs])
        with (
            tempfile.TemporaryFile("w+") as complaints,
            subprocess.Popen(
                [*command, wanted],
                cwd=self.project,
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
            ) as running,
        ):
            assert running.stdout
            for line in running.stdout:
                yield _ran(json.loads(line))
            if running.wait() != 0:
                complaints.seek(0)
                raise EngineError(complaints.read())


def _ran(told: Mapping[str, object]) -> Ran:
    values = dict(told)
    changes = values.pop("changes")
    assert isinstance(changes, list)
    return Ran(**values, changes=tuple(Change(**change) for change in changes))  # pyrefly: ignore[bad-argument-type]
