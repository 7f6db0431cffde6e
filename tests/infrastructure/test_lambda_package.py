"""The bundles: the same bytes from the same inputs, complete, small, and never with a wrong wheel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import msgspec
import pytest

from components.app_description import AppNotReadableError, describe_app
from components.compute import lambda_package
from components.compute.lambda_package import (
    MIB,
    BundleTooLargeError,
    InterpreterNotFoundError,
    RequirementsNotInstallableError,
    bundle,
    runtime_requirements,
    write_zip,
)
from tests.infrastructure.recorded_program import ACCOUNT_ID, PROJECT, Recording

APP = PROJECT / "chalice_app"
API_LOCK = PROJECT / "requirements" / "functions.txt"
METHOD_ARN = f"arn:aws:execute-api:eu-central-1:{ACCOUNT_ID}:abc/api/GET/multipart/parts"
PROCESSING_LOCK = PROJECT / "requirements" / "processing.txt"


@pytest.fixture(scope="module")
def small_lock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One library of the functions, for tests that need a bundle and not what is in it."""
    lock = tmp_path_factory.mktemp("lock") / "small.txt"
    pinned = re.search(r"^jmespath==.*(\n\s.*)*", API_LOCK.read_text(), flags=re.MULTILINE)
    assert pinned
    lock.write_text(pinned[0])
    return lock


@pytest.fixture(scope="module")
def api_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle(APP, (API_LOCK,), tmp_path_factory.mktemp("api"), "api", 8 * MIB, bytecode=False)


def test_the_same_inputs_make_the_same_bytes_in_another_place_umask_and_checkout(
    api_bundle: Path, tmp_path: Path
) -> None:
    """Windows checks files out with other line ends, unless Git is told not to."""
    app = shutil.copytree(APP, tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__"))
    lock = tmp_path / API_LOCK.name
    for path, source in [*((path, path) for path in app.rglob("*.py")), (lock, API_LOCK)]:
        path.write_bytes(source.read_bytes().replace(b"\n", b"\r\n"))
        os.utime(path, (0, 0))
    before = os.umask(0o077)
    try:
        again = bundle(app, (lock,), tmp_path / "out", "api", 8 * MIB, bytecode=False)
    finally:
        os.umask(before)
    assert again.name == api_bundle.name
    assert again.read_bytes() == api_bundle.read_bytes()


def test_git_gives_every_checkout_the_same_line_ends() -> None:
    attributes = (PROJECT / ".gitattributes").read_text().splitlines()
    assert "* text=auto eol=lf" in attributes


def test_a_package_is_built_once(api_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lambda_package, "find_uv_bin", lambda: "/nowhere")
    assert bundle(APP, (API_LOCK,), api_bundle.parent, "api", 8 * MIB, bytecode=False) == api_bundle


def test_a_changed_line_makes_another_bundle(small_lock: Path, tmp_path: Path) -> None:
    app = shutil.copytree(APP, tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__"))
    with (app / "app.py").open("a") as source:
        source.write("# one more line\n")
    changed = bundle(app, (small_lock,), tmp_path, "api", 8 * MIB, bytecode=False)
    unchanged = bundle(APP, (small_lock,), tmp_path, "api", 8 * MIB, bytecode=False)
    assert changed != unchanged
    assert changed.read_bytes() != unchanged.read_bytes()


@pytest.fixture(scope="module")
def unpacked(api_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle, unpacked as by Lambda."""
    folder = tmp_path_factory.mktemp("task")
    zipfile.ZipFile(api_bundle).extractall(folder)
    return folder


def run_in(folder: Path, program: str, environment: dict[str, str] | None = None) -> str:
    """Run with the standard library and the bundle alone. msgspec, which is compiled for Lambda, is this interpreter's:
    all else in the bundle is pure Python, so that any interpreter will do."""
    own = folder.parent / "own"
    if not own.exists():
        shutil.copytree(Path(msgspec.__file__).parent, own / "msgspec")
    asked = subprocess.run(
        [sys.executable, "-S", "-P", "-c", program],
        env={"PYTHONPATH": f"{own}:{folder}", **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert asked.returncode == 0, asked.stderr
    return asked.stdout


def test_the_bundle_holds_every_client_the_functions_make(unpacked: Path) -> None:
    wiring = (APP / "chalicelib" / "wiring.py").read_text()
    services = sorted(set(re.findall(r'_client\("([a-z0-9-]+)"', wiring)))
    assert len(services) >= 5
    program = f"""
import boto3
for service in {services}:
    boto3.client(service, region_name="eu-central-1")
"""
    run_in(unpacked, program)


def test_compiled_modules_are_compiled_for_lambda(unpacked: Path) -> None:
    compiled = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*.so")}
    assert compiled, "msgspec without its core would be found missing only in Lambda"
    assert all("cpython-313-aarch64-linux-gnu" in name for name in compiled), compiled


HANDLERS = (
    *("app.app", "app.janitor", "app.message_sender", "app.notification_delivery", "app.scan_verdict"),
    "app.video_processing",
    "chalicelib.routes.upload_tokens.upload_token_authorizer",
)


@pytest.mark.parametrize("handler", HANDLERS)
def test_lambda_finds_every_handler_as_the_first_thing_it_imports(unpacked: Path, handler: str) -> None:
    module, _, name = handler.rpartition(".")
    run_in(unpacked, f"import importlib; assert callable(getattr(importlib.import_module({module!r}), {name!r}))")


def test_these_are_the_handlers(prod: Recording) -> None:
    functions = prod.of("lambda/function:Function")
    assert {each.inputs["handler"] for each in functions} == set(HANDLERS)


def test_the_authorizer_refuses_a_forged_token_without_loading_an_sdk(unpacked: Path, prod: Recording) -> None:
    """It runs in front of every call of an upload: its cold start is everybody's."""
    authorizer = prod.one("lambda/function:Function", "compute-upload_token_authorizer")
    event = {"type": "TOKEN", "authorizationToken": "Bearer abc", "methodArn": METHOD_ARN}
    program = f"""
import sys
from chalicelib.routes.upload_tokens import upload_token_authorizer
try:
    upload_token_authorizer({event!r}, None)
except Exception as error:
    print(error, {{"boto3", "botocore", "app"}} & set(sys.modules))
"""
    environment = {**authorizer.inputs["environment"]["variables"], "AWS_REGION": "eu-central-1"}
    assert run_in(unpacked, program, environment).splitlines()[-1] == "Unauthorized set()"


def test_the_bundle_carries_no_command_line_and_no_needless_service(api_bundle: Path) -> None:
    names = zipfile.ZipFile(api_bundle).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert not tops & {"pip", "click", "inquirer", "setuptools", "yaml", "tests"}
    services = {name.split("/")[2] for name in names if name.startswith("botocore/data/") and name.count("/") > 2}
    assert services == lambda_package.BOTOCORE_SERVICES
    assert {name for name in names if name.startswith("chalice/")} == lambda_package.CHALICE_RUNTIME
    assert api_bundle.stat().st_size <= 8 * MIB


def test_the_libraries_are_for_the_functions_own_platform(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    lambda_package._install((PROCESSING_LOCK,), tree)
    libraries = [path.name for path in tree.rglob("*.so")]
    assert libraries
    assert all("cpython-313-aarch64" in name or "abi3" in name for name in libraries)


def test_a_wheel_that_is_not_the_locked_one_is_refused(tmp_path: Path) -> None:
    forged = tmp_path / "forged.txt"
    forged.write_text(f"six==1.17.0 \\\n    --hash=sha256:{'0' * 64}\n")
    with pytest.raises(RequirementsNotInstallableError, match=r"forged\.txt"):
        bundle(APP, (forged,), tmp_path, "api", 8 * MIB, bytecode=False)


def test_a_bundle_that_lambda_would_refuse_is_refused_here(small_lock: Path, tmp_path: Path) -> None:
    packed_bytes = bundle(APP, (small_lock,), tmp_path / "out", "api", 8 * MIB, bytecode=False).stat().st_size
    with pytest.raises(BundleTooLargeError) as caught:
        bundle(APP, (small_lock,), tmp_path, "api", packed_bytes - 1, bytecode=False)
    assert caught.value.max_bytes == packed_bytes - 1
    assert not list(tmp_path.glob("*.zip"))


def test_an_app_that_cannot_be_imported_is_named_with_its_error(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import nothing_of_that_name\n")
    with pytest.raises(AppNotReadableError, match="nothing_of_that_name"):
        describe_app(tmp_path)


def test_an_app_is_read_again_once_any_of_its_files_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = shutil.copytree(APP, tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__"))
    described = describe_app(app)
    describe_app.cache_clear()
    with monkeypatch.context() as unreadable:
        unreadable.setattr(subprocess, "run", None)
        assert describe_app(app) == described
    source = app / "app.py"
    source.write_text(source.read_text().replace("JANITOR_INTERVAL_MINUTES = 5", "JANITOR_INTERVAL_MINUTES = 6"))
    describe_app.cache_clear()
    assert (described.schedule, describe_app(app).schedule) == ("rate(5 minutes)", "rate(6 minutes)")


def test_bytecode_of_another_python_is_never_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda would ignore it, and nobody would notice but by slow starts."""
    (tmp_path / "python3.13").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python3.13").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InterpreterNotFoundError):
        bundle(APP, (API_LOCK,), tmp_path / "out", "api", 8 * MIB, bytecode=True)


def test_only_the_runtime_of_a_lock_is_installed() -> None:
    names = {line.split("==")[0] for line in runtime_requirements(API_LOCK.read_text()).splitlines() if "==" in line}
    assert {"boto3", "chalice", "urllib3"} <= names
    assert not names & lambda_package.COMMAND_LINE_ONLY


def test_a_zip_does_not_tell_when_or_by_whom_it_was_made(tmp_path: Path) -> None:
    made: list[bytes] = []
    for mode, name in ((0o600, "one"), (0o755, "other")):
        tree = tmp_path / name
        (tree / "lib").mkdir(parents=True)
        for file in ("lib/b.py", "a.py"):
            (tree / file).write_text("pass\n")
            (tree / file).chmod(mode)
        write_zip(tree, tmp_path / f"{name}.zip")
        made.append((tmp_path / f"{name}.zip").read_bytes())
    assert made[0] == made[1]
