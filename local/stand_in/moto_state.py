"""moto's state as bytes, per service, so that keys, queues and bucket settings survive the process."""

import io
import pickle
import sys
import threading
from collections.abc import Mapping
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from moto.backends import get_backend
from moto.core.base_backend import BackendDict, BaseBackend

from local.stand_in.names import ACCOUNT_ID

SERVICES = ("s3", "kms", "sqs", "sns", "cloudwatch", "events", "ssm")
_ATTEMPTS = 20
_CAPTURED = {"ssm": ("_parameters",)}
"""Pickled attributes by backend. The others cannot be pickled, and the platform stores nothing in them."""


class _Pickler(pickle.Pickler):
    def persistent_id(self, obj: object) -> tuple[str, str, str] | None:
        # Some models refer to their backend, which must be the live one after a restore, not a copy.
        if isinstance(obj, BaseBackend):
            return type(obj).__module__.split(".")[1], obj.account_id, obj.region_name
        return None

    def reducer_override(self, obj: object) -> Any:
        # Locks have no state to keep; restored objects start with free ones.
        if isinstance(obj, threading.Condition):
            return threading.Condition, ()
        # KMS keys are in OpenSSL's memory.
        if isinstance(obj, (RSAPrivateKey, EllipticCurvePrivateKey)):
            return _load_key, (obj.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),)
        if type(obj).__name__ == "ParameterDict":
            parameters: Any = obj  # its constructor differs from that of its base class defaultdict
            return type(obj), (parameters.account_id, parameters.region_name), None, None, iter(parameters.items())
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, pid: Any) -> object:  # pickle's signature
        service, account_id, region = cast("tuple[str, str, str]", pid)
        return _backends(service)[account_id][region]


def capture(service: str) -> bytes:
    """Pickle one service's state in all regions. Restore only trusted bytes: unpickling runs code."""
    attempts = 0
    while True:
        buffer = io.BytesIO()
        attempts += 1
        try:
            _Pickler(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(_by_region(service))
            return buffer.getvalue()
        except RuntimeError:
            # Another thread changed a dictionary meanwhile, and moto has no lock.
            if attempts == _ATTEMPTS:
                raise


def restore(states: Mapping[str, bytes]) -> None:
    """Replace moto's state with these states."""
    reset()
    for service, state in states.items():
        # Written by this program into its own folder, readable by its user alone.
        for region, attributes in _Unpickler(io.BytesIO(state)).load().items():
            _backends(service)[ACCOUNT_ID][region].__dict__.update(attributes)
    s3 = _backends("s3")
    for region, backend in s3[ACCOUNT_ID].items():
        for name in backend.buckets:
            s3.bucket_accounts[name] = (region, ACCOUNT_ID)


def reset() -> None:
    """Clear moto's state."""
    BackendDict.reset()
    _backends("s3").bucket_accounts.clear()


def _by_region(service: str) -> dict[str, dict[str, Any]]:
    # An unused service has no state, and importing it takes time: ssm imports all of ec2.
    if f"moto.{service}" not in sys.modules:
        return {}
    return {region: _captured(service, backend) for region, backend in _backends(service)[ACCOUNT_ID].items()}


def _captured(service: str, backend: Any) -> dict[str, Any]:
    names = _CAPTURED.get(service)
    return backend.__dict__ if names is None else {name: backend.__dict__[name] for name in names}


def _backends(service: str) -> Any:
    return cast("Any", get_backend)(service)


def _load_key(pem: bytes) -> object:
    # pickle finds functions by their module, and that of OpenSSL's binding cannot be imported.
    # Testing the primes of a key that this program made takes 60 ms, each at every start and reset.
    return load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
