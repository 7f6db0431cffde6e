"""The malware scanner of the soak: its verdicts come late, twice, in any order or never, and a scan may fail."""

from __future__ import annotations

import random
from collections.abc import Collection, Set

from chalicelib.core.malware_scan import NO_SCAN, ScanPolicy, ScanResult, ScanVerdict
from tests.in_memory_platform import InMemoryPlatform
from tests.soak.attempt import is_malware

SCAN = ScanPolicy(is_on=True)
POLICIES = (NO_SCAN, SCAN, SCAN, ScanPolicy(is_on=True, accepts_unscanned=True))
FAILURES = (ScanResult.FAILED, ScanResult.ACCESS_DENIED, ScanResult.UNSUPPORTED)

Version = tuple[str, str]
"""Key and version of an object."""


class Scanner:
    """policy: of the platform at the moment. rejects_malware: whether none may ever have become ready."""

    def __init__(self, platform: InMemoryPlatform, rng: random.Random, policy: ScanPolicy) -> None:
        self._platform = platform
        self._rng = rng
        self.policy = policy
        self.rejects_malware = policy == SCAN
        self.undelivered: list[Version] = []

    def deliver(self) -> None:
        if not self.undelivered:
            return
        scanned = self._rng.choice(self.undelivered)
        self._tell(scanned, self._result(scanned) if self._rng.random() > 0.2 else self._rng.choice(FAILURES))
        if self._rng.random() > 0.2 and scanned in self.undelivered:
            self.undelivered.remove(scanned)

    def repeat(self, seen: Set[Version]) -> None:
        if seen and self.policy.is_on:
            scanned = self._rng.choice(sorted(seen))
            self._tell(scanned, self._result(scanned))

    def lose(self) -> None:
        if self.undelivered:
            self.undelivered.remove(self._rng.choice(self.undelivered))

    def change_policy(self) -> None:
        self.policy = self._rng.choice(POLICIES)
        self.rejects_malware = False
        self._platform.change_scans(self.policy)

    def collect(self, new: Collection[Version]) -> None:
        """Scan what is new, and what the janitor asked for."""
        if self.policy.is_on:
            self.undelivered += sorted({*new, *self._platform.scanner.requested})
        self._platform.scanner.requested.clear()

    def finish_one(self) -> None:
        """Deliver one verdict without fail."""
        scanned = self.undelivered.pop()
        self._tell(scanned, self._result(scanned))

    def _tell(self, scanned: Version, result: ScanResult) -> None:
        key, version_id = scanned
        self._platform.scan_verdicts.receive(ScanVerdict(key, version_id, "", result))

    def _result(self, scanned: Version) -> ScanResult:
        key, version_id = scanned
        bodies = [each.body for each in self._platform.videos.versions[key] if each.version_id == version_id]
        return ScanResult.INFECTED if bodies and is_malware(bodies[0]) else ScanResult.CLEAN
