"""A program with the command, signed in by client credentials, under one fault and after it."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.core.video_record import GONE_STATES, State
from tests.faults.command_runs import CommandRun
from tests.faults.scene import Person
from tests.faults.verifier import Broken

TELLING_SECONDS = 20.0


class MachineRun(CommandRun):
    """`person` is the program. Each of its uploads has a reference, and a name for whom it is."""

    @property
    def names(self) -> Mapping[str, str]:
        return {"reference": f"order-{self.kind.name}-{self.seed}", "onBehalfOf": f"customer {self.seed}"}

    @property
    def upload_command(self) -> tuple[str, ...]:
        reference, customer = self.names.values()
        return (*super().upload_command, "--reference", reference, "--on-behalf-of", customer)

    def somebody(self, client_id: str) -> Person:
        return self.scene.program(self.lane)

    def verify(self, video_id: str | None) -> None:
        super().verify(video_id)
        for what, seen in self._seen(video_id):
            if {name: seen.get(name) for name in self.names} != self.names:
                self.broken.append(Broken("lost", f"{what} does not tell the program's names: {seen}"))

    def _seen(self, video_id: str | None) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Everything that should tell the names."""
        records = self.scene.verifier.remains(self.person.owner).records
        for record in records:
            yield f"the record of {record.video_id}", record.to_fields()
        there = {record.video_id for record in records if record.state not in GONE_STATES}
        found = self.scene.ask(self.person, "/videos", query=self.names["reference"])["videos"]
        if {video["videoId"] for video in found} != there:
            yield "a search", {"found": found}
        for video in found:
            yield "a listing", video
        if video_id is not None:
            yield "the video", self.scene.ask(self.person, f"/videos/{video_id}")
        for record in records:
            if record.state is not State.ABORTED:
                yield f"a message about {record.video_id}", self._message(record.video_id)

    def _message(self, video_id: str) -> Mapping[str, Any]:
        deadline = time.monotonic() + TELLING_SECONDS
        while time.monotonic() < deadline:
            for message in self.scene.verifier.messages(self.person.owner):
                if message["videoId"] == video_id:
                    return message
            time.sleep(0.2)
        return {}
