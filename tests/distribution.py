"""Which tests a worker runs in a row, and in which order they begin."""

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
"""Tests that share what is dear: a running platform, recordings of the program, a stand-in.

On several workers each of them would make its own.
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
"""Begin first. One that began last would run on while the other workers have nothing left to do."""

WAITING_FOLDERS = ("tests/web/", "tests/end_to_end/", "tests/stand_in/", "tests/cli/")
"""Begin next: their tests wait for browsers and processes, while others keep the processor busy."""


class SharedScopes(LoadScopeScheduling):
    """Hands tests out by module, and modules of one group together."""

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)


def scope(nodeid: str) -> str:
    """What one worker runs in a row: a group, a class, or the functions of a module."""
    for group, paths in GROUPS.items():
        if nodeid.startswith(paths):
            return group
    return nodeid.rpartition("::")[0]


def turn(nodeid: str) -> int:
    """When a test begins: a smaller number is earlier."""
    for position, path in enumerate(LONGEST_FILES):
        if nodeid.startswith(path):
            return position
    return len(LONGEST_FILES) + (not nodeid.startswith(WAITING_FOLDERS))
