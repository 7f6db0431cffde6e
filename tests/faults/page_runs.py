"""A person with the page, under one fault and after it."""

import json
import time
from collections.abc import Callable

import jwt
from playwright.sync_api import Browser, BrowserContext, Page

from tests.faults.fault_modes import Mode, PlannedFault
from tests.faults.kinds import Kind, Moment
from tests.faults.runs import Run
from tests.faults.scene import Lane, Scene
from tests.faults.verifier import Broken
from tests.web import walkthroughs

HURRY = 25
"""The factor by which the page's timers are shorter; 10 for those of more than 30 s, which end waits."""
PATIENCE_SECONDS = 150.0
"""Twelve strikes in a row make the page wait for about 90 s: it tries parts by the clock, which nothing hurries."""
LOOK_MS = 25
MORE_TRIES = 3
JANITOR_AFTER_SECONDS = 2.0
UNKNOWN = "Something went wrong."
OTHER_DEVICE = "running on another device"
AT_REST = {"completed", "ready", "rejected", "failed"}
"""States of a row in which its upload needs nobody."""

_SESSION = """
(([key, session]) => {
  if (!sessionStorage.getItem(key)) sessionStorage.setItem(key, session);
})(%s)
"""

_HURRIED = """
((hurry) => {
  const whole = window.setTimeout;
  const hurried = (ms) => Math.max(Math.min(ms, 20), ms / (ms < 30000 ? hurry : 10));
  window.setTimeout = (run, ms = 0, ...more) => whole(run, hurried(ms), ...more);
})(%s)
"""


class PageRun(Run):
    """A run with the page, in a browser that many runs share."""

    def __init__(self, scene: Scene, lane: Lane, kind: Kind, seed: int, browser: Browser) -> None:
        super().__init__(scene, lane, kind, seed)
        self.browser = browser

    def play(self) -> None:
        parts = self.prepare("web")
        context = self._context()
        try:
            page = self._open(context)
            if self.kind.call == "list":
                self.lane.line.begin(PlannedFault("put", Mode.DIES_BEFORE, first=self.chance.randint(2, parts)))
                page = self._choose_and_rest(page)
            planned_faults = self.planned_faults(parts)
            self.lane.line.begin(*planned_faults)
            page = self._under_fault(context, page)
            self.struck += sum(planned.struck for planned in planned_faults if planned.call == self.kind.call)
            self.lane.line.lift()
            context, page = self._on_another_device(context, page)
            self.verify(self._finish(page))
        finally:
            context.close()

    # the browser

    @property
    def address(self) -> str:
        return self.lane.site.url

    def _context(self) -> BrowserContext:
        context = self.browser.new_context(locale="en-GB", service_workers="block")
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        context.add_init_script(_HURRIED % HURRY)
        self._sign_in(context)
        return context

    def _sign_in(self, context: BrowserContext) -> None:
        person, authority = self.person, self.scene.platform.sign_in.authority_url
        session = {
            "access_token": person.access_token,
            "id_token": person.id_token,
            "refresh_token": person.refresh_token,
            "token_type": "Bearer",
            "profile": jwt.decode(person.id_token, options={"verify_signature": False}),
            "expires_at": 0 if self.kind.special == "token-expired" else 4_000_000_000,
        }
        context.add_init_script(_SESSION % json.dumps([f"oidc.user:{authority}:web", json.dumps(session)]))

    def _open(self, context: BrowserContext) -> Page:
        page = context.new_page()
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto(self.address)
        self._look_around(page)
        return page

    def _look_around(self, page: Page) -> None:
        """Wait until the page has asked for everything that it shows."""
        self._until(page, lambda: _is_hidden(page, "#library-loading") and "unfinished" in self._answered(page))

    def _answered(self, page: Page) -> set[str]:
        names: list[str] = page.evaluate("performance.getEntriesByType('resource').map(one => one.name)")
        return {"unfinished"} if any(name.endswith("/api/uploads") for name in names) else set()

    def _reload(self, page: Page) -> Page:
        """Reload the page, or open it in another tab."""
        if self.chance.random() < 0.5:
            page.reload()
            self._look_around(page)
            return page
        context = page.context
        page.close(run_before_unload=False)
        return self._open(context)

    def _on_another_device(self, context: BrowserContext, page: Page) -> tuple[BrowserContext, Page]:
        if self.kind.special != "other-device":
            return context, page
        self.steps.append("the same person at another computer")
        context.close()
        context = self._context()
        return context, self._open(context)

    # what the person does

    def _under_fault(self, context: BrowserContext, page: Page) -> Page:
        match self.kind.call:
            case "library" | "unfinished" | "list":
                page = self._reload(page)
            case _:
                pass
        if self.kind.special == "offline":
            self.struck = 1
            walkthroughs.choose(page, self.file)
            page.wait_for_timeout(self.chance.uniform(0, 300))
            context.set_offline(True)
            page.wait_for_timeout(self.chance.uniform(50, 1500))
            context.set_offline(False)
            self._rest(page)
            return page
        if self.kind.special in {"other-device", "closed"}:
            self.struck = 1
            walkthroughs.choose(page, self.file)
            page.wait_for_timeout(self.chance.uniform(0, 800))
            return page if self.kind.special == "other-device" else self._reload(page)
        if self.kind.special == "token-expired":
            self.struck = 1
        return self._choose_and_rest(page)

    def _choose_and_rest(self, page: Page) -> Page:
        walkthroughs.choose(page, self.file)
        return page if self._rest(page) else self._reload_after_end(page)

    def _reload_after_end(self, page: Page) -> Page:
        """The moment has come at which this page ends, or at which the platform is struck."""
        line = self.lane.line
        if self.kind.moment is not Moment.KILLED:
            self.strike()
            line.client_gone.set()
            self._rest(page)
            return page
        self.steps.append("the page is reloaded")
        page = self._reload(page)
        line.client_gone.set()
        line.lift()
        return page

    def _rest(self, page: Page) -> bool:
        """Wait until the upload's row has come to rest. False when the page is to end first."""
        line = self.lane.line
        row = page.locator("#uploads > li").last

        def is_resting() -> bool:
            if line.client_must_end.is_set() and not line.client_gone.is_set():
                return True
            return row.get_attribute("data-state") in AT_REST

        if not self._until(page, is_resting):
            self.broken.append(Broken("stuck", f"the row still says {row.inner_text()!r}"))
            return True
        if row.get_attribute("data-state") not in AT_REST:
            return False
        self._check_row(page)
        return True

    def _check_row(self, page: Page) -> None:
        row = page.locator("#uploads > li").last
        state, words = row.get_attribute("data-state"), row.locator(".status").inner_text().strip()
        self.steps.append(f"row: {state}, {words}")
        states = self.scene.listed_videos(self.person).values()
        if state in {"completed", "ready"} and not set(states) & {"processing", "ready"}:
            self.broken.append(Broken("never told", f"the row says {words!r}, the API lists {list(states)}"))
        if state == "failed" and (not words or UNKNOWN in words):
            self.broken.append(Broken("never told", f"no reason in words: {words!r}"))

    def _finish(self, page: Page) -> str | None:
        """Do what people do until their video can be played. Return its id."""
        for number in range(MORE_TRIES):
            if self._is_up(page):
                return next(iter(self.scene.listed_videos(self.person)), None)
            if number:
                self.broken.append(Broken("never told", f"though nothing fails any more: {self.steps[-1:]}"))
            again = page.get_by_role("button", name=f"Try again: {self.file.name}")
            if again.count() and self.chance.random() < 0.5:
                self.steps.append("try again")
                again.last.click()
                page.locator("#uploads > li[data-state=failed]").first.wait_for(state="detached")
                self._rest(page)
                continue
            self.steps.append("reload")
            page = self._reload(page)
            if not self._has_card(page):
                self.steps.append("choose the file again")
                walkthroughs.choose(page, self.file)
                self._rest(page)
                self._take_over(page)
        if self._is_up(page):
            return next(iter(self.scene.listed_videos(self.person)), None)
        self.broken.append(Broken("stuck", f"no video to play: {page.locator('#videos').inner_text()!r}"))
        return None

    def _take_over(self, page: Page) -> None:
        """Continue here what another device sent a moment ago, as the row says."""
        if OTHER_DEVICE not in self.steps[-1]:
            return
        self.steps.append("try again")
        page.get_by_role("button", name=f"Try again: {self.file.name}").last.click()
        page.locator("#uploads > li[data-state=failed]").first.wait_for(state="detached")
        self._rest(page)

    def _has_card(self, page: Page) -> bool:
        return walkthroughs.video_card(page, self.file.name).count() > 0

    def _is_up(self, page: Page) -> bool:
        """Return whether the library shows the video, ready to be played."""
        if page.locator("#uploads > li[data-state=failed]").count():
            return False
        if not self._has_card(page) and not page.locator("#uploads > li").count():
            return False
        play = page.get_by_role("button", name=f"Play {self.file.name}")
        return self._until(page, lambda: play.count() > 0 and play.first.is_enabled(), seconds=20)

    def _until(self, page: Page, holds: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> bool:
        deadline = time.monotonic() + seconds
        janitor_at = time.monotonic() + JANITOR_AFTER_SECONDS
        while not holds():
            now = time.monotonic()
            if now > deadline:
                return False
            if now > janitor_at and self.kind.moment in {Moment.EVENT_LOST, Moment.WORKER_KILLED}:
                janitor_at = now + 2 * JANITOR_AFTER_SECONDS
                self.scene.verifier.find_lost_events(self.person.owner)
            page.wait_for_timeout(LOOK_MS)
        return True


def _is_hidden(page: Page, selector: str) -> bool:
    return page.locator(selector).is_hidden()
