"""Profiles: one sign-in for each stage or site, one of them the default."""

from __future__ import annotations

import re
from pathlib import Path

from video_upload.errors import ProfileNameError, ProfileNotFoundError
from video_upload.private_files import write_privately

DEFAULT_PROFILE = "default"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Profiles:
    """The profiles below `home`; several processes may share them."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "profiles"
        self._current = home / "current-profile"

    @property
    def current(self) -> str:
        try:
            chosen = self._current.read_text().strip()
        except FileNotFoundError:
            return DEFAULT_PROFILE
        return chosen if NAME.fullmatch(chosen) else DEFAULT_PROFILE

    def names(self) -> tuple[str, ...]:
        """Names of the profiles that are signed in, in order."""
        return tuple(sorted(path.stem for path in self._folder.glob("*.json")))

    def use(self, name: str) -> None:
        """Make it the profile of commands that name none. Raises ProfileNotFoundError and ProfileNameError."""
        if not self.path(name).exists():
            raise ProfileNotFoundError(name, self.names())
        write_privately(self._current, name.encode())

    def path(self, name: str) -> Path:
        """Path of the profile's file, which need not exist. Raises ProfileNameError."""
        if not NAME.fullmatch(name):
            raise ProfileNameError(name)
        return self._folder / f"{name}.json"
