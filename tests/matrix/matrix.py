"""Play the matrix: send every cell, hold every answer against the rules, and look for what leaks or changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import requests

from local.platform import LocalPlatform
from tests.api.function_process import run_in_function
from tests.matrix.account import account_links
from tests.matrix.cells import Cell, cells
from tests.matrix.chains import Link, chained_cells, correlated, links, lists_to_readers
from tests.matrix.identities import identities
from tests.matrix.renditions import deleted_with_their_video, played_and_downloaded, rendition_links
from tests.matrix.rules import RULES
from tests.matrix.scene import Scene
from tests.sign_in.authenticator import set_up_app

WORKERS = 6

LIST_ROUTES = """
import app, json
print(json.dumps([f"{method} {path}" for path in app.app.routes for method in app.app.routes[path]]))
"""


@dataclass
class Played:
    """Result of a matrix. wrong: one line a cell."""

    identities: int = 0
    cells: Counter[str] = field(default_factory=Counter[str])
    verdicts: Counter[int] = field(default_factory=Counter[int])
    wrong: list[str] = field(default_factory=list[str])

    def note(self, kind: str, name: str, right: frozenset[int], answer: requests.Response) -> None:
        self.cells[kind] += 1
        self.verdicts[answer.status_code] += 1
        if answer.status_code not in right:
            allowed = " or ".join(map(str, sorted(right)))
            self.wrong.append(f"{name}: {answer.status_code} instead of {allowed}: {answer.text[:200]}")


def routes() -> list[str]:
    """Routes that the app declares, without preflights, which are open to everybody."""
    declared: list[str] = run_in_function("all", LIST_ROUTES)
    return sorted(route for route in declared if not route.startswith("OPTIONS"))


def play(platform: LocalPlatform, video: bytes, to_copy: bytes, *, every: int = 1) -> Played:
    """to_copy: a video that gets a rendition. every: 1 plays all cells, 5 each fifth; the chains at the storage and the
    renditions likewise.
    """
    declared = routes()
    if set(declared) != set(RULES):
        return Played(wrong=[f"routes without a rule or rules without a route: {set(declared) ^ set(RULES)}"])
    scene = Scene.set_up(platform, video, to_copy)
    set_up_app(platform.sign_in, scene.bob.email)
    before = scene.bob.possessions()
    knocking = identities(scene)
    played = Played(identities=len(knocking))
    in_order = cells(scene, declared, knocking)
    first = [cell for cell in in_order if not cell.destroys][::every]
    last = [cell for cell in in_order if cell.destroys][::every]
    _send(scene, played, "access", first)
    _send(scene, played, "chained at the API", [*chained_cells(scene)])
    _send_links(played, "chained at the storage", [*links(scene)][::every])
    _send_links(played, "at renditions and thumbnails", [*rendition_links(scene, knocking)][::every])
    _send_links(played, "at the account", [*account_links(scene)])
    for kind, look in _looks(scene).items():
        played.cells[kind] += 1
        played.wrong += look()
    _send(scene, played, "access", last)
    played.wrong += deleted_with_their_video(scene)
    if not platform.sign_in.authority.second_factors.is_asked_for(scene.bob.owner):
        played.wrong.append("another user's authenticator app was removed")
    if scene.bob.possessions() != before:
        played.wrong.append("something of another user was changed")
    return played


def _looks(scene: Scene) -> dict[str, Callable[[], list[str]]]:
    return {
        "correlation id of another": lambda: correlated(scene),
        "list of uploads by scope": lambda: lists_to_readers(scene),
        "URLs of renditions and thumbnails": lambda: played_and_downloaded(scene),
    }


def _send(scene: Scene, played: Played, kind: str, sent: list[Cell]) -> None:
    secrets = scene.bob.secrets

    def send(cell: Cell) -> requests.Response:
        return scene.site.ask(cell.route, cell.authorization, cell.body, **cell.headers)

    with ThreadPoolExecutor(WORKERS) as workers:
        for cell, answer in zip(sent, workers.map(send, sent), strict=True):
            played.note(kind, cell.name, cell.right, answer)
            if cell.tells:
                continue
            # An answer may repeat what its request has named.
            leaked = [
                secret for secret in secrets if secret in answer.text and secret not in f"{cell.route}{cell.body}"
            ]
            if leaked:
                played.wrong.append(f"{cell.name}: the answer tells {leaked} of another user")


def _send_links(played: Played, kind: str, sent: list[Link]) -> None:
    with ThreadPoolExecutor(WORKERS) as workers:
        for link, answer in zip(sent, workers.map(lambda link: link.send(), sent), strict=True):
            played.note(kind, link.name, link.right, answer)
