"""Second factors: authenticator apps, whose codes (RFC 6238) are verified once each."""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

import pyotp
from pyotp.exceptions import OTPVerificationError

from local.sign_in.errors import NoSecondFactorError, SecondFactorsOffError, WrongCodeError
from local.sign_in.private_files import PrivateFiles
from local.sign_in.users import Attempts

FACTORS_FILE = "second_factors.json"
STEP_SECONDS = 30  # Cognito developer guide, "TOTP software token MFA"
DRIFT_STEPS = 1
SECRET_CHARS = 32


class Mfa(StrEnum):
    """Second factor at sign-in; the values of the stage's setting `mfa`."""

    OFF = "off"
    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True, kw_only=True)
class Factor:
    """A person's authenticator app.

    secret: in base32, as in the app; None before its first code was verified.
    new_secret: of an app that is being set up.
    is_on: whether the person wants to be asked for codes.
    last_step: the step of the last accepted code; earlier codes and this one are replays.
    """

    secret: str | None = None
    new_secret: str | None = None
    is_on: bool = False
    last_step: int = 0


class SecondFactors:
    """The authenticator apps of all people, in a private file like passwords."""

    def __init__(self, files: PrivateFiles, mfa: Mfa, clock: Callable[[], float]) -> None:
        self.mfa = mfa
        self._files = files
        self._clock = clock
        self._lock = threading.Lock()
        self._attempts = Attempts(clock)
        stored: dict[str, dict[str, object]] = json.loads(files.read(FACTORS_FILE) or "{}")
        self._factors = {subject: Factor(**factor) for subject, factor in stored.items()}  # pyrefly: ignore[bad-argument-type] - as _store wrote it

    def is_asked_for(self, subject: str) -> bool:
        """Check whether this person signs in with a code."""
        factor = self._of(subject)
        wanted = factor.is_on or self.mfa is Mfa.REQUIRED
        return self.mfa is not Mfa.OFF and factor.secret is not None and wanted

    def must_set_up(self, subject: str) -> bool:
        """Check whether this person must set up an app before signing in."""
        return self.mfa is Mfa.REQUIRED and self._of(subject).secret is None

    def begin(self, subject: str) -> str:
        """Create the secret of a new app. The current app stays in use until a code of the new one is verified.

        Raises SecondFactorsOffError.
        """
        if self.mfa is Mfa.OFF:
            raise SecondFactorsOffError
        secret = pyotp.random_base32(SECRET_CHARS)
        with self._lock:
            self._store(subject, replace(self._of(subject), new_secret=secret))
        return secret

    def pending(self, subject: str) -> str:
        """The secret of the app that is being set up, created if it is missing. Raises SecondFactorsOffError."""
        return self._of(subject).new_secret or self.begin(subject)

    def verify_new(self, subject: str, code: str) -> None:
        """Activate the new app with its first code.

        Raises NoSecondFactorError, WrongCodeError, TooManyAttemptsError.
        """
        with self._lock:
            factor = self._of(subject)
            if factor.new_secret is None:
                raise NoSecondFactorError
            step = self._accepted_step(subject, factor.new_secret, code, after_step=0)
            self._store(subject, replace(factor, secret=factor.new_secret, new_secret=None, last_step=step))

    def verify(self, subject: str, code: str) -> None:
        """Verify and consume a code at sign-in. Raises NoSecondFactorError, WrongCodeError, TooManyAttemptsError."""
        with self._lock:
            factor = self._of(subject)
            if factor.secret is None:
                raise NoSecondFactorError
            step = self._accepted_step(subject, factor.secret, code, after_step=factor.last_step)
            self._store(subject, replace(factor, last_step=step))

    def turn(self, subject: str, *, is_on: bool) -> None:
        """Ask this person for codes, or no longer. Raises NoSecondFactorError for an app without a verified code."""
        with self._lock:
            factor = self._of(subject)
            if is_on and factor.secret is None:
                raise NoSecondFactorError
            self._store(subject, replace(factor, is_on=is_on))

    def forget(self, subject: str) -> None:
        """Delete the app of a person who lost it."""
        with self._lock:
            self._store(subject, Factor())

    def _of(self, subject: str) -> Factor:
        return self._factors.get(subject, Factor())

    def _accepted_step(self, subject: str, secret: str, code: str, *, after_step: int) -> int:
        self._attempts.admit(subject)
        if not re.fullmatch(r"[0-9]{6}", code):
            raise WrongCodeError
        app = pyotp.TOTP(secret, interval=STEP_SECONDS)
        try:
            step = app.verify_and_get_timecode(code, for_time=self._clock(), valid_window=DRIFT_STEPS)
        except OTPVerificationError as error:
            raise WrongCodeError from error
        if step <= after_step:
            raise WrongCodeError
        self._attempts.succeeded(subject)
        return step

    def _store(self, subject: str, factor: Factor) -> None:
        self._factors[subject] = factor
        self._files.write(
            FACTORS_FILE, lambda: json.dumps({subject: asdict(each) for subject, each in self._factors.items()})
        )
