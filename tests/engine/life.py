"""The life of a stage under the engine: preview, deploy, change, read, destroy; every step says what must happen.

`Life.failures` collects what did not.
"""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.print_environment import environment_of
from deploy.stack_outputs import StackOutputs
from tests.engine.engine import Engine, EngineError
from tests.engine.flags import REFUSED, as_configured, flips
from tests.engine.program_runs import Change, Ran, Run
from tests.infrastructure.every_setting import OFF, ON

Tell = Callable[[str, str, float], None]

NEW_ROUTE = """

@health.route("/health/again", methods=["GET"])
def report_health_again() -> Response:
    return report_health()
"""
CHANGED_BY_A_ROUTE = {
    ("update", "aws:lambda/function:Function"),
    ("update", "aws:apigateway/restApi:RestApi"),
    ("replace", "aws:apigateway/deployment:Deployment"),
}
DEPLOYED_ANEW = {
    ("create-replacement", "aws:apigateway/deployment:Deployment"),
    ("delete-replaced", "aws:apigateway/deployment:Deployment"),
    ("update", "aws:apigateway/stage:Stage"),
}
MAY_FOLLOW_A_ROUTE = {*DEPLOYED_ANEW, ("update", "aws:lambda/alias:Alias")}
PASSWORD = "random:index/randomPassword:RandomPassword"
CHANGED_BY_A_ROTATION = {
    ("create", PASSWORD),
    ("delete", PASSWORD),
    ("update", "aws:apigateway/restApi:RestApi"),
    ("replace", "aws:apigateway/deployment:Deployment"),
    ("update", "aws:cloudfront/distribution:Distribution"),
}
MAY_FOLLOW_A_ROTATION = DEPLOYED_ANEW
NEEDED_OF_AWS = "AWS did not carry out the request"
"""Beginning of what an operators' command says when it has read the outputs and reaches no AWS."""
FAILED_STEP = "FAILED"
"""Beginning of what smoke prints where the stage does not answer; it prints something else where it found no stage."""
A_VIDEO = "0" * 28
OPERATORS_COMMANDS: tuple[Sequence[str], ...] = (
    ("publish_site", "--page", "page"),
    ("redrive",),
    ("find_upload", A_VIDEO),
    ("replay_event", A_VIDEO),
    ("restore_video", A_VIDEO, "--yes"),
    ("remake_rendition", A_VIDEO, "--yes"),
    ("restore_records", "2026-11-27T08:00:00Z", "--yes"),
    ("revoke_user", "ada@example.com", "--yes"),
    ("reset_mfa", "ada@example.com", "--yes"),
    ("administrators", "add", "ada@example.com", "--yes"),
    ("erase_user", "ada@example.com", "--yes"),
)


@dataclass(frozen=True, kw_only=True)
class CommandTime:
    """A command's time. refusal: the engine's words, where it refused."""

    seconds: float
    refusal: str = ""


class Life:
    """One stage, from its first preview to the end. tell: hears of each step, its outcome and its seconds."""

    def __init__(self, engine: Engine, stack: str, tell: Tell) -> None:
        self._engine = engine
        self._stack = stack
        self._tell = tell
        self.failures: list[str] = []

    def go_up_twice(self) -> None:
        """A preview in which nothing is known, a first `up`, and a second one that changes nothing."""
        wanted = [Run(operation="preview"), Run(operation="up"), Run(operation="up")]
        planned, made, again = self._engine.run(self._stack, wanted)
        self._step("preview", planned, planned.changed("create") != [])
        self._step("up", made, made.changes == planned.changes or _types(made) == _types(planned))
        self._step("up again", again, not again.changes)

    def go_up(self) -> None:
        """A first `up` without a preview."""
        (made,) = self._engine.run(self._stack, [Run(operation="up")])
        self._step("up", made, made.changes != () and len(made.changes) == len(made.changed("create")))

    def change_a_route(self) -> None:
        """Functions, the API's document and its deployment change, and nothing else."""
        file = self._engine.project / "chalice_app/chalicelib/routes/health.py"
        before = file.read_text()
        file.write_text(before + NEW_ROUTE)
        changed, again = self._engine.run(self._stack, [Run(operation="up"), Run(operation="up")])
        what = {(change.operation, change.type) for change in changed.changes}
        only = what <= CHANGED_BY_A_ROUTE | MAY_FOLLOW_A_ROUTE
        self._step("a route added", changed, only and what >= CHANGED_BY_A_ROUTE)
        self._step("up again", again, not again.changes)

    def rotate_the_origin_secret(self) -> None:
        """The API's document, its deployment and the edge change, and the state holds no secret in the clear."""
        rotation = Run(operation="up", settings={"originSecretGeneration": "2"})
        changed, again = self._engine.run(self._stack, [rotation, rotation])
        what = {(change.operation, change.type) for change in changed.changes}
        only = what <= CHANGED_BY_A_ROTATION | MAY_FOLLOW_A_ROTATION
        self._step("the origin secret rotated", changed, only and what >= CHANGED_BY_A_ROTATION)
        self._step("up again", again, not again.changes)
        exported = ("stack", "export", "--stack", self._stack)
        shown = json.loads(self._engine.pulumi(*exported, "--show-secrets"))["deployment"]["resources"]
        passwords = [each for each in shown if each["type"] == PASSWORD]
        state = self._engine.pulumi(*exported)
        self._demand(len(passwords) == 2, f"{len(passwords)} secrets are known to the API instead of 2")
        for each in passwords:
            plain = json.loads(each["outputs"]["result"]["plaintext"])
            self._demand(plain not in state, f"the state holds {each['urn']} in the clear")
        # The rotation stays: the runs that follow are compared with it.
        self._engine.pulumi("config", "set", "--stack", self._stack, "originSecretGeneration", "2")

    def flip_every_flag(self) -> None:
        """A preview of each boolean setting the other way round; one that the stage refuses says why."""
        wanted = list(flips(self._configuration()))
        runs = [Run(operation="preview", settings=settings) for settings in wanted]
        for settings, ran in zip(wanted, self._engine.run(self._stack, runs), strict=True):
            flag, value = next(iter(settings.items()))
            refusal = REFUSED.get((self._stack, flag))
            if refusal:
                self._tell_step(f"{flag} {value}", "refused" if refusal in ran.error else "NOT refused", ran)
                self._demand(refusal in ran.error, f"{flag} {value} was not refused as {refusal!r}: {ran.error}")
            else:
                self._step(f"{flag} {value}", ran, True)

    def turn_everything_on_and_off(self) -> None:
        """Deployed, not only previewed; whatever is protected is there all the while."""
        protected = {urn for urn, is_protected in self._resources().items() if is_protected}
        wanted = {"everything on": as_configured(ON), "everything off": as_configured(OFF), "as before": {}}
        runs = [Run(operation="up", settings=settings) for settings in wanted.values()]
        for name, ran in zip(wanted, self._engine.run(self._stack, runs), strict=True):
            self._step(name, ran, ran.changes != ())
            self._demand(protected <= set(self._resources()), f"{name}: something protected is gone")

    def refresh(self) -> None:
        """Demand that AWS holds what was deployed and a refresh changes nothing."""
        before = self._resources()
        took = self._pulumi_changes("refresh", "--expect-no-changes")
        self._tell("refresh", f"{len(before)} resources", took.seconds)
        self._demand(not took.refusal, f"refresh: {took.refusal}")
        self._demand(self._resources() == before, "a refresh has changed the state")

    def read_outputs(self) -> None:
        """The operators' commands find what they need in the stack's outputs; AWS alone is missing."""
        began = time.monotonic()
        outputs = StackOutputs(json.loads(self._engine.pulumi("stack", "output", "--json", "--stack", self._stack)))
        printed = self._operate("print_environment")
        assigned = (word.partition("=") for word in shlex.split(printed) if word != "export")
        shown = {name: value for name, _, value in assigned}
        self._demand(shown == environment_of(outputs), f"print_environment says {printed}")
        page = self._engine.project / "page" / "index.html"
        page.parent.mkdir(exist_ok=True)
        page.touch()
        for command in OPERATORS_COMMANDS:
            said = self._operate(*command)
            self._demand(NEEDED_OF_AWS in said, f"{command[0]} says {said}")
        said = self._operate("smoke")
        self._demand(said.startswith(FAILED_STEP), f"smoke says {said}")
        self._tell("operators' commands", f"{len(outputs)} outputs", time.monotonic() - began)

    def destroy(self) -> None:
        """Destroy everything.

        A protected resource stops it before anything is deleted. When it is excluded, it stays with its dependencies.
        """
        before = self._resources()
        protected = [urn for urn, is_protected in before.items() if is_protected]
        kept = self._with_dependencies(protected)
        if kept:
            refused = self._pulumi_changes("destroy")
            self._tell("destroy", f"refused: {len(protected)} are protected", refused.seconds)
            self._demand("protect" in refused.refusal, f"destroy was not refused: {refused.refusal}")
            self._demand(self._resources() == before, "a refused destroy has deleted something")
        gone = self._pulumi_changes("destroy", *(["--exclude-protected"] if kept else []))
        left = set(self._resources())
        told = f"{len(before) - len(left)} deleted, {len(left)} kept"
        self._tell("destroy --exclude-protected" if kept else "destroy", told, gone.seconds)
        self._demand(not gone.refusal, f"destroy: {gone.refusal}")
        self._demand(left == kept, f"destroy left {sorted(left ^ kept)}")

    def come_back(self) -> None:
        """An `up` after a destroy makes again what is gone and touches nothing that was protected."""
        kept = self._resources()
        made, again = self._engine.run(self._stack, [Run(operation="up"), Run(operation="up")])
        self._step("up after destroy", made, len(made.changes) == len(made.changed("create")))
        self._step("up again", again, not again.changes)
        self._demand(kept.keys() <= self._resources().keys(), "something kept is gone")

    def _pulumi_changes(self, command: str, *words: str) -> CommandTime:
        """A `pulumi` command that changes the stack, and needs no program."""
        began = time.monotonic()
        try:
            self._engine.pulumi(command, "--yes", "--stack", self._stack, *words)
        except EngineError as error:
            return CommandTime(seconds=time.monotonic() - began, refusal=str(error))
        return CommandTime(seconds=time.monotonic() - began)

    def _configuration(self) -> dict[str, str]:
        told = json.loads(self._engine.pulumi("config", "--json", "--stack", self._stack))
        return {key.removeprefix("video-upload-platform:"): value["value"] for key, value in told.items()}

    def _resources(self) -> dict[str, bool]:
        """Map the URN of each resource that a provider made to whether it is protected."""
        return {each["urn"]: each.get("protect", False) for each in self._state()}

    def _with_dependencies(self, urns: Sequence[str]) -> set[str]:
        """These and all that they depend on."""
        needs = {each["urn"]: each.get("dependencies", []) for each in self._state()}
        found: set[str] = set()
        waiting = list(urns)
        while waiting:
            urn = waiting.pop()
            if urn in needs and urn not in found:
                found.add(urn)
                waiting.extend(needs[urn])
        return found

    def _state(self) -> list[dict[str, Any]]:
        """Everything that a provider made, as the state has it."""
        state = json.loads(self._engine.pulumi("stack", "export", "--stack", self._stack))["deployment"]
        return [each for each in state.get("resources", []) if each["custom"] and "pulumi:" not in each["type"]]

    def _operate(self, command: str, *words: str) -> str:
        ended = self._engine.command(sys.executable, "-m", f"deploy.{command}", "--stage", self._stack, *words)
        return ended.stdout + ended.stderr

    def _step(self, name: str, ran: Ran, as_promised: bool) -> None:
        self._tell_step(name, _summary(ran), ran)
        self._demand(not ran.error, f"{name}: {ran.error}")
        self._demand(bool(ran.error) or as_promised, f"{name}: {_listed(ran.changes)}")

    def _tell_step(self, name: str, outcome: str, ran: Ran) -> None:
        self._tell(name, outcome, ran.seconds)

    def _demand(self, kept: bool, otherwise: str) -> None:
        if not kept:
            self.failures.append(f"{self._stack}: {otherwise}")


def _types(ran: Ran) -> Counter[str]:
    return Counter(change.type for change in ran.changes)


def _summary(ran: Ran) -> str:
    if ran.error:
        return "FAILED"
    counted = Counter(change.operation for change in ran.changes)
    return ", ".join(f"{operation} {count}" for operation, count in sorted(counted.items())) or "no change"


def _listed(changes: Sequence[Change]) -> str:
    lines = [f"  {change.operation} {change.type} {change.name} {', '.join(change.properties)}" for change in changes]
    return "\n".join(["unexpected", *(lines or ["  no change"])])
