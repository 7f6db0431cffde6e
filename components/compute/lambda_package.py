"""The Lambda bundles: reproducible zips of the Chalice app and its locked requirements. Knows no Pulumi.

PackageError
├── RequirementsNotInstallableError   a wheel is missing, foreign or not the locked one
├── InterpreterNotFoundError          bytecode is wanted, and there is no interpreter of the functions' version
└── BundleTooLargeError               Lambda would refuse it
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from uv import find_uv_bin

PYTHON = "3.13"
PLATFORM = "aarch64-manylinux_2_28"  # Lambda's python3.13 runs on Amazon Linux 2023, whose glibc is 2.34
TASK_FOLDER = "/var/task"  # Lambda Developer Guide: path of the unpacked bundle
MIB = 2**20
MAX_API_ZIP_BYTES = 8 * MIB  # our own limit: unpacking dominates a cold start
MAX_ZIP_BYTES = 50 * MIB  # Lambda quotas, "Deployment package size": direct upload
MAX_UNZIPPED_BYTES = 250 * MIB  # same page

FIRST_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
UNIX = 3
FILE_MODE, LIBRARY_MODE, REGULAR_FILE = 0o644, 0o755, 0o100000

COMMAND_LINE_ONLY = frozenset(
    {
        *("ansicon", "blessed", "click", "colorama", "editor", "inquirer", "jinxed", "pip", "python-editor", "pyyaml"),
        *("readchar", "runs", "setuptools", "wcwidth", "wheel", "xmod"),
    }
)
"""Requirements of Chalice's command line, which its runtime does not need."""

CHALICE_RUNTIME = {"chalice/__init__.py", "chalice/app.py"}
BOTOCORE_SERVICES = {
    "s3",
    "sns",
    "sqs",
    "ssm",
    "events",
    "lambda",
    "sts",
    "ce",
    "application-autoscaling",
    "guardduty",
    "mediaconvert",
}
"""Services whose models stay in the bundle. boto3 reads a model only when a client is created; other models are dead
weight."""

_NEEDLESS = re.compile(
    r"(^|/)(tests?|bin)/|\.pyi$|/py\.typed$|(^|/)\.lock$|\.dist-info/(?!METADATA$)|^boto3/(examples|data/(?!s3/))"
)
_SERVICE_MODEL = re.compile(r"botocore/data/([^/]+)/")


class PackageError(Exception):
    """The functions cannot be packed."""


class RequirementsNotInstallableError(PackageError):
    """locks: the files; reason: the installer's output."""

    def __init__(self, locks: tuple[Path, ...], reason: str) -> None:
        self.locks, self.reason = locks, reason
        super().__init__(f"cannot install {', '.join(lock.name for lock in locks)} for {PLATFORM}: {reason}")


class InterpreterNotFoundError(PackageError):
    """version: of Python."""

    def __init__(self, version: str) -> None:
        self.version = version
        super().__init__(f"no python{version} on the PATH to make bytecode: install one or set bytecode to false")


class BundleTooLargeError(PackageError):
    """path, size_bytes, max_bytes."""

    def __init__(self, path: Path, size_bytes: int, max_bytes: int) -> None:
        self.path, self.size_bytes, self.max_bytes = path, size_bytes, max_bytes
        super().__init__(f"{path.name}: {size_bytes / MIB:.1f} MiB, at most {max_bytes / MIB:.0f}")


class Bundle(StrEnum):
    """Zips of the app, without and with the media library."""

    API = "api"
    PROCESSING = "processing"


@dataclass(frozen=True, kw_only=True)
class LambdaPackage:
    """The functions' bundles.

    bundles: zips. version: changes if and only if the code or its libraries change.
    """

    bundles: Mapping[Bundle, Path]
    version: str


def build_package(project: Path, *, bytecode: bool) -> LambdaPackage:
    """Pack the functions, or reuse zips with identical content in `build/lambda`.

    bytecode: whether the zips contain it; it halves cold starts and adds a third to the size.
    Raises PackageError's leaves.
    """
    app = project / "chalice_app"
    api_lock, processing_lock = project / "requirements/functions.txt", project / "requirements/processing.txt"
    folder = project / "build" / "lambda"
    make = BUNDLER.get()
    api = make(app, (api_lock,), folder, Bundle.API, MAX_API_ZIP_BYTES, bytecode=bytecode)
    processing = make(app, (api_lock, processing_lock), folder, Bundle.PROCESSING, MAX_ZIP_BYTES, bytecode=bytecode)
    return LambdaPackage(
        bundles={Bundle.API: api, Bundle.PROCESSING: processing},
        version=processing.stem.rpartition("-")[2],
    )


def bundle(app: Path, locks: tuple[Path, ...], folder: Path, name: str, max_zip_bytes: int, *, bytecode: bool) -> Path:
    """Return one zip; build it unless one with identical content exists. Raises PackageError's leaves."""
    sources = dict(_app_files(app))
    found = folder / f"{name}-{_digest(sources, locks, bytecode=bytecode)}.zip"
    if found.is_file():
        return found
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        tree, packed = Path(scratch) / "tree", Path(scratch) / "packed.zip"
        _install(locks, tree)
        for path in [path for path in tree.rglob("*") if path.is_file()]:
            if not _is_needed(path.relative_to(tree).as_posix()):
                path.unlink()
        for relative, source in sources.items():
            (tree / relative).parent.mkdir(parents=True, exist_ok=True)
            (tree / relative).write_bytes(_with_plain_line_ends(source))
        if bytecode:
            _compile(tree)
        unzipped_bytes = sum(path.stat().st_size for path in tree.rglob("*") if path.is_file())
        if unzipped_bytes > MAX_UNZIPPED_BYTES:
            raise BundleTooLargeError(found, unzipped_bytes, MAX_UNZIPPED_BYTES)
        write_zip(tree, packed)
        if packed.stat().st_size > max_zip_bytes:
            raise BundleTooLargeError(found, packed.stat().st_size, max_zip_bytes)
        packed.replace(found)
    return found


BUNDLER: ContextVar[Callable[..., Path]] = ContextVar("bundler", default=bundle)
"""Packer of one zip. The program recorder replaces it with one that installs nothing."""


def _app_files(app: Path) -> Iterator[tuple[str, Path]]:
    """Relative name and path of the app's own files, without leftovers of a run."""
    for path in sorted([app / "app.py", *(app / "chalicelib").rglob("*.py")]):
        yield path.relative_to(app).as_posix(), path


def _digest(sources: Mapping[str, Path], locks: tuple[Path, ...], *, bytecode: bool) -> str:
    """Digest of everything that determines a bundle's content, this file included."""
    known = hashlib.sha256(f"{PYTHON} {PLATFORM} {bytecode}".encode())
    for name, path in [*sources.items(), *((lock.name, lock) for lock in locks), ("", Path(__file__))]:
        known.update(f"\0{name}\0".encode() + hashlib.sha256(_with_plain_line_ends(path)).digest())
    return known.hexdigest()[:16]


def _with_plain_line_ends(source: Path) -> bytes:
    """The text with Git's line ends. Those of a checkout may differ, and the same commit would deploy again."""
    return source.read_bytes().replace(b"\r\n", b"\n")


def _install(locks: tuple[Path, ...], target: Path) -> None:
    """Install the locked wheels for Lambda's platform instead of this machine's. Nothing is built from source."""
    wanted = target.with_suffix(".txt")
    wanted.write_text("".join(runtime_requirements(lock.read_text()) for lock in locks))
    command = [
        *(find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--require-hashes"),
        *("--only-binary", ":all:", "--python-version", PYTHON, "--python-platform", PLATFORM),
        *("--target", str(target), "--requirement", str(wanted)),
    ]
    installed = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - no shell, own words
    if installed.returncode != 0:
        raise RequirementsNotInstallableError(locks, installed.stderr.strip())


def runtime_requirements(lock: str) -> str:
    """The lock without requirements of Chalice's command line alone. A requirement is a line and its hashes."""
    requirements = re.split(r"^(?=\S)", lock, flags=re.MULTILINE)
    return "".join(each for each in requirements if re.split(r"[=\s;\[]", each, maxsplit=1)[0] not in COMMAND_LINE_ONLY)


def _is_needed(relative: str) -> bool:
    if _NEEDLESS.search(relative):
        return False
    if relative.startswith("chalice/"):
        return relative in CHALICE_RUNTIME
    model = _SERVICE_MODEL.match(relative)
    return model is None or model[1] in BOTOCORE_SERVICES


def bytecode_interpreter() -> str:
    """Path of the interpreter that compiles the bundles' bytecode. Raises InterpreterNotFoundError."""
    interpreter = shutil.which(f"python{PYTHON}")
    usable = interpreter and subprocess.run([interpreter, "-V"], capture_output=True, check=False).returncode == 0  # noqa: S603 - asks for its version
    if not interpreter or not usable:
        raise InterpreterNotFoundError(PYTHON)
    return interpreter


def _compile(tree: Path) -> None:
    """Compile bytecode that Lambda's interpreter loads without comparing the sources' dates, which a zip does not
    keep."""
    command = [
        *(bytecode_interpreter(), "-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"),
        *("-s", str(tree), "-p", TASK_FOLDER, str(tree)),
    ]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": "0"})  # noqa: S603 - no shell, own words


def write_zip(tree: Path, target: Path) -> None:
    """Zip all files below `tree`: sorted, with one date and fixed modes, so that equal trees give equal zips."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for path in sorted(path for path in tree.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(tree).as_posix(), FIRST_ZIP_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = UNIX
            mode = LIBRARY_MODE if ".so" in path.suffixes else FILE_MODE
            entry.external_attr = (REGULAR_FILE | mode) << 16
            packed.writestr(entry, path.read_bytes(), compresslevel=9)
