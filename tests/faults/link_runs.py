"""Somebody without an account with the command and an upload link, under one fault and after it."""

from typing import Any

import requests

from chalicelib.core.video_record import GONE_STATES
from tests.faults.command_runs import Attempt, CommandRun
from tests.faults.verifier import Broken

MAX_VIDEOS = 3


class LinkRun(CommandRun):
    """A run by a link. `person` is the maker of the link."""

    link: dict[str, Any]

    def prepare(self, client_id: str) -> int:
        parts = super().prepare(client_id)
        asked = {"title": "Match day", "validSeconds": 3600, "maxVideos": MAX_VIDEOS, "maxBytes": 10**9}
        self.link = self._ask("POST", "/links", asked)
        return parts

    @property
    def upload_command(self) -> tuple[str, ...]:
        address = f"{self.lane.site.url}/#link={self.link['linkToken']}"
        return ("upload", str(self.file), "--link", address, "--uploader", "Ada")

    @staticmethod
    def is_done(told: Attempt) -> bool:
        return bool(told.video)

    def check_success(self, attempt: Attempt) -> None:
        """The video is its maker's, with the sender's name; its verdict is not the sender's to see."""
        listed = self.scene.listed_videos(self.person)
        if attempt.video.get("state") != "processing" or str(attempt.video.get("videoId")) not in listed:
            self.broken.append(Broken("never told", f"the API lists {listed}: {attempt}"))

    def verify(self, video_id: str | None) -> None:
        super().verify(video_id)
        records = self.scene.verifier.remains(self.person.owner).records
        for record in records:
            if (record.link_id, record.uploader_name) != (self.link["linkId"], "Ada"):
                self.broken.append(Broken("lost", f"{record.video_id} does not tell its link"))
        stored = sum(record.state not in GONE_STATES for record in records)
        (shown,) = self._ask("GET", "/links")["links"]
        if shown["usedVideos"] != stored:
            self.broken.append(Broken("ghost", f"the link counts {shown['usedVideos']} videos, {stored} are there"))

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        url = f"{self.scene.platform.site_url}/api{path}"
        headers = {"Authorization": f"Bearer {self.person.access_token}"}
        answer = requests.request(method, url, json=body, headers=headers, timeout=60)
        answer.raise_for_status()
        return answer.json()
