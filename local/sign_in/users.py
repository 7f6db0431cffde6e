"""Accounts: addresses, scrypt hashes, and waits after wrong passwords."""

import hashlib
import hmac
import json
import math
import re
import secrets
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from local.sign_in.errors import (
    EmailTakenError,
    InvalidEmailError,
    PasswordTooShortError,
    TooManyAttemptsError,
    WrongCredentialsError,
)
from local.sign_in.private_files import PrivateFiles

USERS_FILE = "users.json"
MIN_PASSWORD_LENGTH = 12
MAX_PASSWORD_LENGTH = 256  # Cognito developer guide, "Password policies": 256 characters at most

SCRYPT_N = 2**14
SCRYPT_R = 8
SCRYPT_P = 1
SCRYPT_MEMORY_BYTES = 64 * 1024 * 1024

# Cognito developer guide, "Lockout behavior for failed sign-in attempts": five are free, then 1 s, doubling to about
# 15 minutes.
FREE_ATTEMPTS = 5
MAX_WAIT_SECONDS = 900
REMEMBERED_ADDRESSES = 10_000

ADMINISTRATORS = "administrators"
"""The only group of the local pool, with the setting's default name."""


# Passwords of unknown addresses are compared with this hash, so that the time does not reveal which exist.
NOBODY = f"{bytes(16).hex()}${bytes(32).hex()}"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A person's identity at a company.

    groups: the company's claim in Cognito's text form: several values as `[one, two]`.
    """

    provider: str
    subject: str
    groups: str = ""


@dataclass(frozen=True, kw_only=True)
class User:
    """One person.

    subject: a UUID that does not change with the address.
    password_hash: scrypt as "salt$key" in hex; None for accounts that cannot use the form.
    groups: of the pool, to which an operator added this person.
    identity: None for a local user.
    """

    subject: str
    email: str
    password_hash: str | None = None
    groups: tuple[str, ...] = ()
    identity: Identity | None = None

    @property
    def username(self) -> str:
        """User name: the subject, as in pools with sign-in by e-mail; for federated users, provider and id."""
        return f"{self.identity.provider}_{self.identity.subject}" if self.identity else self.subject


class Users:
    """All accounts of this sign-in, stored in one file."""

    def __init__(self, files: PrivateFiles, clock: Callable[[], float]) -> None:
        self._files = files
        self._lock = threading.Lock()
        self._attempts = Attempts(clock)
        stored = json.loads(files.read(USERS_FILE) or "[]")
        self._by_subject: dict[str, User] = {item["subject"]: _stored_user(item) for item in stored}
        # An address is no identity: people of two companies and a local user may share it.
        self._by_email = {user.email: user for user in self._by_subject.values() if user.identity is None}

    def create(self, email: str, password: str | None = None) -> User:
        """Raises InvalidEmailError, PasswordTooShortError, EmailTakenError."""
        address = normal_email(email)
        if password is not None and not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
            raise PasswordTooShortError(MIN_PASSWORD_LENGTH)
        password_hash = None if password is None else hash_password(password)
        with self._lock:
            if address in self._by_email:
                raise EmailTakenError(f"An account for {address} already exists.")
            return self._store(User(subject=str(uuid.uuid4()), email=address, password_hash=password_hash))

    def get_or_create(self, email: str) -> User:
        """The account of this address, created without a password if it is missing. Raises InvalidEmailError."""
        address = normal_email(email)
        with self._lock:
            return self._by_email.get(address) or self._store(User(subject=str(uuid.uuid4()), email=address))

    def set_password(self, email: str, password: str) -> User:
        """Create or change the account of this address. Raises InvalidEmailError."""
        user = self.get_or_create(email)
        with self._lock:
            return self._store(replace(user, password_hash=hash_password(password)))

    def of_company(self, identity: Identity, email: str) -> User:
        """The account of this identity, created at the first sign-in and updated from the company's claims at each.

        Raises InvalidEmailError.
        """
        address = normal_email(email)
        with self._lock:
            known = next((user for user in self._by_subject.values() if _is_of(user, identity)), None)
            user = known or User(subject=str(uuid.uuid4()), email=address)
            return self._store(replace(user, email=address, identity=identity))

    def put_into(self, user: User, group: str) -> User:
        """Safe to repeat."""
        with self._lock:
            return self._store(replace(user, groups=tuple(dict.fromkeys((*user.groups, group)))))

    def take_out_of(self, user: User, group: str) -> User:
        """Safe to repeat."""
        with self._lock:
            return self._store(replace(user, groups=tuple(name for name in user.groups if name != group)))

    def all(self) -> list[User]:
        return list(self._by_subject.values())

    def by_subject(self, subject: str) -> User | None:
        """None for a deleted account."""
        return self._by_subject.get(subject)

    def by_email(self, email: str) -> User | None:
        """None for an address without a local account."""
        return self._by_email.get(email.strip().lower())

    def by_username(self, username: str) -> User | None:
        """None for an unknown name."""
        return next((user for user in self._by_subject.values() if user.username == username), None)

    def sign_in(self, email: str, password: str) -> User:
        """Raises WrongCredentialsError, or TooManyAttemptsError after repeated failures for one address."""
        address = email.strip().lower()
        self._attempts.admit(address)
        user = self._by_email.get(address)
        expected = user.password_hash if user is not None else None
        right = password_matches(password, expected or NOBODY)
        if user is None or expected is None or not right:
            raise WrongCredentialsError
        self._attempts.succeeded(address)
        return user

    def _store(self, user: User) -> User:
        if user.identity is None:
            before = self._by_email.get(user.email)
            if before and before.subject != user.subject:
                del self._by_subject[before.subject]
            self._by_email[user.email] = user
        self._by_subject[user.subject] = user
        self._files.write(USERS_FILE, lambda: json.dumps([asdict(each) for each in self._by_subject.values()]))
        return user


def _stored_user(item: Mapping[str, Any]) -> User:
    return User(
        subject=item["subject"],
        email=item["email"],
        password_hash=item["password_hash"],
        groups=tuple(item.get("groups", ())),
        identity=Identity(**item["identity"]) if item.get("identity") else None,
    )


def _is_of(user: User, identity: Identity) -> bool:
    known = user.identity
    return known is not None and (known.provider, known.subject) == (identity.provider, identity.subject)


class Attempts:
    """Sign-in attempts per address, known or unknown: a refusal must not reveal which addresses exist."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._tried: dict[str, tuple[int, float]] = {}

    def admit(self, address: str) -> None:
        """Count an attempt before its password is hashed, so that parallel guesses cannot evade the limit.

        Raises TooManyAttemptsError while the wait lasts.
        """
        with self._lock:
            count, last = self._tried.get(address, (0, 0.0))
            wait_seconds = min(2 ** (count - FREE_ATTEMPTS), MAX_WAIT_SECONDS) if count >= FREE_ATTEMPTS else 0
            remaining = last + wait_seconds - self._clock()
            if wait_seconds and remaining > 0:
                raise TooManyAttemptsError(retry_after_seconds=math.ceil(remaining))
            self._tried.pop(address, None)
            self._tried[address] = (count + 1, self._clock())
            if len(self._tried) > REMEMBERED_ADDRESSES:
                del self._tried[next(iter(self._tried))]

    def succeeded(self, address: str) -> None:
        """Reset the count."""
        with self._lock:
            self._tried.pop(address, None)


def normal_email(email: str) -> str:
    """The normalized address, for comparison. Raises InvalidEmailError."""
    address = email.strip().lower()
    if len(address) > 254 or not re.fullmatch(r"[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+\.[^@\s\x00-\x1f.]+", address):
        raise InvalidEmailError(f"{email!r} is not an e-mail address.")
    return address


def hash_password(password: str) -> str:
    """Scrypt with a fresh salt, as "salt$key" in hex."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}${_scrypt(password, salt).hex()}"


def password_matches(password: str, password_hash: str) -> bool:
    """Compare in constant time."""
    salt, _, key = password_hash.partition("$")
    return hmac.compare_digest(_scrypt(password[: MAX_PASSWORD_LENGTH + 1], bytes.fromhex(salt)), bytes.fromhex(key))


def _scrypt(password: str, salt: bytes) -> bytes:
    # Forms may contain lone surrogates, which are just another wrong password.
    secret = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(secret, salt=salt, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P, maxmem=SCRYPT_MEMORY_BYTES, dklen=32)
