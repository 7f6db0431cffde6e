"""Somebody without an account with an upload link and the command or the page, under one fault and after it."""

from typing import Any

import requests
from playwright.sync_api import BrowserContext, Page

from chalicelib.core.video_record import GONE_STATES
from tests.faults.command_runs import Attempt, CommandRun
from tests.faults.page_runs import PageRun
from tests.faults.runs import Run
from tests.faults.verifier import Broken

MAX_VIDEOS = 3
SENDER = "Ada"


class RunByLink(Run):
    """A run by a link. `person` is the maker of the link."""

    link: dict[str, Any]

    def prepare(self, client_id: str) -> int:
        parts = super().prepare(client_id)
        asked = {"title": "Match day", "validSeconds": 3600, "maxVideos": MAX_VIDEOS, "maxBytes": 10**9}
        self.link = self._ask("POST", "/links", asked)
        return parts

    @property
    def link_address(self) -> str:
        return f"{self.lane.site.url}/#link={self.link['linkToken']}"

    def verify(self, video_id: str | None) -> None:
        super().verify(video_id)
        records = self.scene.verifier.remains(self.person.owner).records
        for record in records:
            if (record.link_id, record.uploader_name) != (self.link["linkId"], SENDER):
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


class LinkRun(RunByLink, CommandRun):
    """With the command."""

    @property
    def upload_command(self) -> tuple[str, ...]:
        return ("upload", str(self.file), "--link", self.link_address, "--uploader", SENDER)

    @staticmethod
    def is_done(told: Attempt) -> bool:
        return bool(told.video)

    def check_success(self, attempt: Attempt) -> None:
        """The video is its maker's, with the sender's name; its verdict is not the sender's to see."""
        listed = self.scene.listed_videos(self.person)
        if attempt.video.get("state") != "processing" or str(attempt.video.get("videoId")) not in listed:
            self.broken.append(Broken("never told", f"the API lists {listed}: {attempt}"))


class LinkPageRun(RunByLink, PageRun):
    """With the page, which shows the bearer of a link no library: an upload that is not unfinished has arrived."""

    @property
    def address(self) -> str:
        return self.link_address

    def _sign_in(self, context: BrowserContext) -> None:
        pass

    def _look_around(self, page: Page) -> None:
        page.get_by_label("Your name").fill(SENDER)
        page.get_by_role("button", name="Continue", exact=True).click()
        page.get_by_label("Choose videos").wait_for(state="attached")

    def _has_card(self, page: Page) -> bool:
        unfinished = page.get_by_role("list", name="Unfinished uploads").get_by_text(self.file.name)
        return self._has_arrived() and not unfinished.count()

    def _is_up(self, page: Page) -> bool:
        if page.locator("#uploads > li[data-state=failed]").count():
            return False
        is_sent = self._has_card(page) or page.locator("#uploads > li").count()
        return bool(is_sent) and self._until(page, self._has_arrived, seconds=20)

    def _has_arrived(self) -> bool:
        return bool(set(self.scene.listed_videos(self.person).values()) & {"processing", "ready"})
