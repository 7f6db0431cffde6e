"""Posts to the public internet: to which address they go, and when they end."""

import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from chalicelib.adapters.public_https import PublicHttps
from chalicelib.core.notification_delivery import NotDeliveredError

NAME = "hooks.example.com"
BODY = b"{}"
OK = b"HTTP/1.1 200 OK\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"


@dataclass
class Receiver:
    """A socket on loopback. behave: what it does with a connection after it has read the request."""

    behave: Callable[[socket.socket], None]
    tls: ssl.SSLContext | None = None
    requests: list[bytes] = field(default_factory=list[bytes])
    names: list[str | None] = field(default_factory=list[str | None])

    def serve(self) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        if self.tls:
            self.tls.sni_callback = lambda _, name, __: self.names.append(name)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener.getsockname()[1]

    def _accept(self, listener: socket.socket) -> None:
        with closing(listener):
            plain, _ = listener.accept()
            try:
                connection = self.tls.wrap_socket(plain, server_side=True) if self.tls else plain
                request = b""
                while not request.endswith(BODY):
                    request += connection.recv(65_536)
                self.requests.append(request)
                self.behave(connection)
            except OSError:
                pass
            finally:
                plain.close()


def answers(text: bytes) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        connection.sendall(text)
        connection.close()

    return behave


def drips(connection: socket.socket) -> None:
    for byte in OK * 1_000:
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def floods(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"a" * 65_536)


def hangs(connection: socket.socket) -> None:
    connection.recv(1)
    threading.Event().wait(30)


local = PublicHttps(allows_loopback=True, timeout_seconds=0.5)


def test_the_status_and_the_wish_to_wait_come_back() -> None:
    receiver = Receiver(answers(OK))
    answer = local.post(f"http://127.0.0.1:{receiver.serve()}/hook?a=b", {"webhook-id": "evt_1"}, BODY)
    assert (answer.status, answer.retry_after_seconds) == (200, 7)
    head = receiver.requests[0].lower()
    assert head.startswith(b"post /hook?a=b http/1.1")
    assert b"webhook-id: evt_1" in head


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_is_not_followed(status: int) -> None:
    elsewhere = Receiver(answers(OK))
    redirect = f"HTTP/1.1 {status} Elsewhere\r\nLocation: http://127.0.0.1:{elsewhere.serve()}/\r\n\r\n"
    port = Receiver(answers(redirect.encode())).serve()
    assert local.post(f"http://127.0.0.1:{port}/", {}, BODY).status == status
    assert not elsewhere.requests


@pytest.mark.parametrize("behave", [hangs, drips, floods, answers(b""), answers(b"no HTTP at all\r\n\r\n")])
def test_a_receiver_that_never_answers_in_full_is_left_in_time(behave: Callable[[socket.socket], None]) -> None:
    with pytest.raises(NotDeliveredError):
        local.post(f"http://127.0.0.1:{Receiver(behave).serve()}/", {}, BODY)


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.1"],
        ["169.254.169.254"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["fd00:ec2::254"],
        ["93.184.215.14", "10.0.0.1"],
        [],
    ],
)
def test_a_name_that_leads_to_an_address_that_is_not_public_is_never_connected_to(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        pytest.fail("connected")

    monkeypatch.setattr(socket, "create_connection", refuse)
    with pytest.raises(NotDeliveredError):
        PublicHttps(resolve=lambda host, port: addresses).post(f"https://{NAME}/", {}, BODY)


@pytest.mark.parametrize(
    "url", ["http://93.184.215.14/", "ftp://93.184.215.14/", "http://127.0.0.1/", "file:///etc/passwd"]
)
def test_nothing_but_https_is_asked_outside_of_the_local_platform(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("connected"))
    with pytest.raises(NotDeliveredError):
        PublicHttps().post(url, {}, BODY)


def test_loopback_is_open_to_the_local_platform_alone_and_to_no_other_private_address() -> None:
    for addresses in (["127.0.0.1", "10.0.0.1"], ["10.0.0.1"], ["169.254.169.254"]):
        with pytest.raises(NotDeliveredError):
            PublicHttps(allows_loopback=True, resolve=lambda host, port, found=addresses: found).post(
                f"https://{NAME}/", {}, b"{}"
            )


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.mark.parametrize("name", [NAME, "other.example.com"])
def test_the_address_that_was_checked_is_asked_under_the_hosts_name(certificate: Path, name: str) -> None:
    """One lookup: a name that changes its address between two lookups gains nothing."""
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate)
    receiver = Receiver(answers(OK), tls=served)
    port = receiver.serve()
    lookups: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        lookups.append(host)
        return ["127.0.0.1"]

    poster = PublicHttps(
        allows_loopback=True, resolve=resolve, tls=lambda: ssl.create_default_context(cafile=str(certificate))
    )
    if name != NAME:
        with pytest.raises(NotDeliveredError, match="CERTIFICATE_VERIFY_FAILED"):
            poster.post(f"https://{name}:{port}/", {}, BODY)
        return
    assert poster.post(f"https://{name}:{port}/", {}, BODY).status == 200
    assert (lookups, receiver.names) == ([NAME], [NAME])
    assert f"host: {NAME}:{port}".encode() in receiver.requests[0].lower()
