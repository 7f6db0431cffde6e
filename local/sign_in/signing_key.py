"""The RSA key that signs every token, created at the first start."""

import hashlib
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from local.sign_in.private_files import PrivateFiles

KEY_FILE = "signing_key.pem"
ALGORITHM = "RS256"


@dataclass(frozen=True)
class SigningKey:
    """A private key and the id under which its public half is published."""

    private_key: rsa.RSAPrivateKey
    key_id: str

    def sign(self, claims: dict[str, Any]) -> str:
        """A JWT of these claims."""
        return jwt.encode(claims, self.private_key, algorithm=ALGORITHM, headers={"kid": self.key_id})

    def claims(self, token: str, issuer: str) -> dict[str, Any]:
        """The claims of a token signed by this key for this issuer. The caller checks its expiry.

        Raises jwt.InvalidTokenError.
        """
        return jwt.decode(
            token,
            self.private_key.public_key(),
            algorithms=[ALGORITHM],
            issuer=issuer,
            # The caller compares exp with this sign-in's clock.
            options={
                "require": ["exp", "iat", "iss", "sub"],
                "verify_exp": False,
                "verify_iat": False,
                "verify_aud": False,
            },
        )

    def public_pem(self) -> bytes:
        """The public half as PEM."""
        return self.private_key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def public_jwk(self) -> dict[str, str]:
        """The public half as a JSON Web Key (RFC 7517)."""
        public: dict[str, str] = RSAAlgorithm.to_jwk(self.private_key.public_key(), as_dict=True)
        return {name: public[name] for name in ("kty", "n", "e")} | {"use": "sig", "alg": ALGORITHM, "kid": self.key_id}


def new_private_key() -> rsa.RSAPrivateKey:
    """Make a key as strong as Cognito's."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def load_or_make_key(files: PrivateFiles) -> SigningKey:
    """The key of the data directory, so that tokens stay valid after a restart."""
    stored = files.read(KEY_FILE)
    if stored is None:
        private_key = new_private_key()
        files.write(
            KEY_FILE,
            lambda: private_key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ).decode(),
        )
    else:
        # Made by this program; testing its primes again takes 60 ms.
        loaded = serialization.load_pem_private_key(stored.encode(), password=None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(loaded, rsa.RSAPrivateKey):
            message = f"{KEY_FILE} holds no RSA key"
            raise TypeError(message)
        private_key = loaded
    numbers = private_key.public_key().public_numbers()
    return SigningKey(private_key, key_id=hashlib.sha256(f"{numbers.e} {numbers.n}".encode()).hexdigest()[:32])
