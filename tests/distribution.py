"""Distribution of the tests over workers, and their order."""

from xdist.scheduler import LoadScopeScheduling

GROUPS = {
    "page on the platform": (
        "tests/web/test_web_administrators.py",
        "tests/web/test_web_and_command.py",
        "tests/web/test_web_platform.py",
        "tests/web/test_web_share.py",
        "tests/web/test_web_telemetry.py",
    ),
    "recorded programs": ("tests/infrastructure/", "tests/costs/"),
    "stand-in": ("tests/stand_in/test_conformance", "tests/stand_in/test_refusals.py"),
}
"""Paths of tests that share something expensive: a running platform, recordings of the program, a stand-in.

On several workers, each worker would make its own.
"""

LONGEST_FILES = (
    "tests/web/test_web_platform.py",
    "tests/infrastructure/",
    "tests/engine/test_life.py",
    "tests/contract/test_schemathesis.py",
    "tests/end_to_end/test_local_platform.py",
    "tests/end_to_end/test_operations.py",
    "tests/web/test_web_page.py",
    "tests/faults/",
    "tests/end_to_end/test_status.py",
    "tests/end_to_end/test_killed_desktop_client.py",
    "tests/web/test_web_faults.py",
    "tests/web/test_uploader_package.py",
)
"""Paths that begin first. A long one that began last would run while the other workers are idle."""

WAITING_FOLDERS = ("tests/web/", "tests/end_to_end/", "tests/stand_in/", "tests/cli/")
"""Folders that begin next: their tests wait for browsers and processes while others keep the processor busy."""


class SharedScopes(LoadScopeScheduling):
    """A scheduler that assigns whole modules, and all modules of a group to one worker."""

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)


def scope(nodeid: str) -> str:
    """The unit of a test that one worker runs in a row: a group, a class, or the functions of a module."""
    for group, paths in GROUPS.items():
        if nodeid.startswith(paths):
            return group
    return nodeid.rpartition("::")[0]


def turn(nodeid: str) -> int:
    """The position of a test in the run: a smaller number begins earlier."""
    for position, path in enumerate(LONGEST_FILES):
        if nodeid.startswith(path):
            return position
    return len(LONGEST_FILES) + (not nodeid.startswith(WAITING_FOLDERS))
