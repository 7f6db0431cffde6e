"""A person with the command, under one fault and after it."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib.core.completion import LEASE
from chalicelib.core.video_record import State
from tests.faults.command_process import Command
from tests.faults.fault_modes import Mode, PlannedFault
from tests.faults.kinds import Moment
from tests.faults.runs import Run
from tests.faults.verifier import Broken, residue

PATIENCE_SECONDS = LEASE.total_seconds() + 90
"""A command that has not ended by then is stuck. Its own waits are short; a completion that the platform has heard no
more of is trusted for the length of the lease, which no setting shortens."""
NO_CODE = -1
"""Exit code of a command that ended without a result, for example in a crash."""
JANITOR_AFTER_SECONDS = 2.0
FRESH_TRIES = 3
NO_KEYRING = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}


@dataclass
class Attempt:
    """One run of the command. code: None if it was killed."""

    arguments: tuple[str, ...]
    code: int | None
    out: str = ""
    err: str = ""
    is_hanging: bool = False

    @property
    def answer(self) -> dict[str, Any]:
        """Return what it printed for programs; empty if nothing."""
        return _last_object(self.out)

    @property
    def error(self) -> dict[str, Any]:
        return _last_object(self.err).get("error", {})

    @property
    def video(self) -> dict[str, Any]:
        return self.answer.get("video", {})

    def __str__(self) -> str:
        what = "killed" if self.code is None else f"exit {self.code}"
        told = self.error.get("message") or self.err.strip()[-600:] or json.dumps(self.answer)[:200]
        return f"{self.arguments[0]}: {what}, {told}"


def _last_object(text: str) -> dict[str, Any]:
    for line in reversed(text.splitlines()):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            return found
    return {}


class CommandRun(Run):
    """A run with the command."""

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def upload_command(self) -> tuple[str, ...]:
        return ("upload", str(self.file))

    @staticmethod
    def is_done(told: Attempt) -> bool:
        """Return whether the person has nothing more to do after this."""
        return told.video.get("state") == "ready"

    # the course of a run

    def play(self) -> None:
        """Fault, end of the fault, the person's next tries, verification."""
        parts = self.prepare("desktop")
        self.home.mkdir()
        self.scene.store_sign_in(self.person, self.lane, self.home, has_expired=self.kind.call == "token")
        match self.kind.call:
            case "library" | "delete":
                self._about_a_ready_video()
            case _:
                told = self._begin(parts)
                if self.is_done(told):
                    # Nobody gives the command again that has told its result, even if it was killed after that.
                    self.lane.line.lift()
                    self.verify(told.video["videoId"])
                else:
                    self.verify(self._finish())

    def _begin(self, parts: int) -> Attempt:
        """The upload under its fault."""
        planned_faults = self.planned_faults(parts)
        if self.kind.call == "list":
            # Parts of an earlier run are asked for.
            self.lane.line.begin(PlannedFault("put", Mode.DIES_THEN, first=self.chance.randint(1, parts - 1)))
            self._attempt(*self.upload_command)
        self.lane.line.begin(*planned_faults)
        if self.kind.s3_operation:
            is_lost = self.kind.mode is Mode.LOST
            fault = {"loseResponse": True} if is_lost else {"status": 503, "code": "SlowDown"}
            self.scene.fail(self.kind.s3_operation, self.person.owner, times=self.chance.choice((1, 2, 4, 9)), **fault)
            self.struck = 1
        first = self._attempt(*self.upload_command, is_under_fault=True)
        self._tell_check(first)
        self.struck += sum(planned.struck for planned in planned_faults if planned.call == self.kind.call)
        return first

    def _finish(self) -> str | None:
        """The person gives the same command until it says that the video is there; its id."""
        self.lane.line.lift()
        for _ in range(FRESH_TRIES):
            attempt = self._attempt(*self.upload_command)
            self._tell_check(attempt)
            if attempt.code == 0:
                return attempt.video.get("videoId")
            if attempt.code == 3:
                self.person = self.scene.sign_in_again(self.person)
                self.scene.store_sign_in(self.person, self.lane, self.home)
                continue
            self.broken.append(Broken("never told", f"though nothing fails any more: {attempt}"))
        return None

    def _about_a_ready_video(self) -> None:
        self.lane.line.begin()
        uploaded = self._attempt(*self.upload_command)
        self._tell_check(uploaded)
        video_id = uploaded.video.get("videoId", "none")
        arguments = ("list",) if self.kind.call == "library" else ("delete", video_id, "--yes")
        planned_faults = self.planned_faults(1)
        self.lane.line.begin(*planned_faults)
        first = self._attempt(*arguments, is_under_fault=True)
        self._tell_check(first)
        self.struck = planned_faults[0].struck
        self.lane.line.lift()
        again = self._attempt(*arguments)
        self._tell_check(again)
        if again.code != 0 and not (self.kind.call == "delete" and again.error.get("code") == "video_not_found"):
            self.broken.append(Broken("never told", f"though nothing fails any more: {again}"))
        if self.kind.call == "library":
            shown = [video["videoId"] for video in again.answer.get("videos", [])]
            if shown != [video_id]:
                self.broken.append(Broken("lost", f"listed {shown}, not {video_id}"))
            self.verify(video_id)
            return
        self.scene.verifier.let_time_pass(self.person.owner)
        remains = self.scene.verifier.remains(self.person.owner)
        self.broken.extend(residue(remains))
        if remains.videos or [record.state for record in remains.records] != [State.DELETED]:
            self.broken.append(Broken("orphaned", f"after the delete: {remains}"))

    # one run of the command

    def _attempt(self, *arguments: str, is_under_fault: bool = False) -> Attempt:
        environment = {"VIDEO_UPLOAD_HOME": str(self.home), "PATH": "/usr/bin:/bin", "COLUMNS": "200", **NO_KEYRING}
        special = self.kind.special if is_under_fault else ""
        command = Command(
            [*arguments, "--json"],
            environment,
            self.folder,
            is_impatient=self.kind.mode is Mode.LATE,
            file_bytes=self.chance.randint(0, 900) if special == "journal-full" else None,
        )
        attempt = self._watch(command, arguments, special)
        self.steps.append(str(attempt))
        return attempt

    def _watch(self, command: Command, arguments: tuple[str, ...], special: str) -> Attempt:
        started = time.monotonic()
        ends_at = started + self.chance.uniform(0, 1.5) if special in {"killed", "interrupted"} else float("inf")
        janitor_at = started + JANITOR_AFTER_SECONDS
        line = self.lane.line
        is_killed = False
        while not command.wait(0.01):
            now = time.monotonic()
            if line.client_must_end.is_set() and not line.client_gone.is_set():
                is_killed = self._at_the_moment(command)
                line.client_gone.set()
            if now > ends_at:
                ends_at = float("inf")
                self.struck = 1
                is_killed = special == "killed"
                command.kill() if is_killed else command.interrupt()
            if now > janitor_at and self.kind.moment in {Moment.EVENT_LOST, Moment.WORKER_KILLED}:
                janitor_at = now + 2 * JANITOR_AFTER_SECONDS
                self.scene.verifier.find_lost_events(self.person.owner)
            if now > started + PATIENCE_SECONDS:
                command.kill()
                command.ended()
                return Attempt(arguments, None, is_hanging=True)
        code, out, err = command.ended()
        if special == "journal-full":
            self.struck = 1
        if code is None and not is_killed:
            code = NO_CODE
        return Attempt(arguments, None if is_killed else code, out, err)

    def _at_the_moment(self, command: Command) -> bool:
        """Let the kind's moment come, while a call is held. Return whether the command was killed."""
        if self.kind.moment is not Moment.KILLED:
            self.strike()
            return False
        time.sleep(self.chance.choice((0, 0, 0.01, 0.03)) if self.kind.mode is Mode.DIES_THEN else 0)
        command.kill()
        return True

    # verification

    def _tell_check(self, attempt: Attempt) -> None:
        """Success is true, failure has a reason in words."""
        if attempt.is_hanging:
            self.broken.append(Broken("stuck", f"{attempt.arguments[0]} has not ended after {PATIENCE_SECONDS:.0f} s"))
        elif attempt.code == 0:
            if attempt.arguments[0] == "upload":
                self.check_success(attempt)
        elif attempt.code is not None:
            error = attempt.error
            if not (error.get("code") and error.get("message")) or "Traceback" in attempt.err:
                self.broken.append(Broken("never told", f"no reason in words: {attempt}"))

    def check_success(self, attempt: Attempt) -> None:
        video_id, state = attempt.video.get("videoId"), attempt.video.get("state")
        listed = self.scene.listed_videos(self.person)
        if state != "ready" or listed.get(str(video_id)) != "ready":
            self.broken.append(Broken("never told", f"it says {state}, the API lists {listed}: {attempt}"))
