"""HTTP server of the site and the sign-in: the stand-in's, with the strictness and messages of `chalice local`."""

from collections.abc import Callable
from http import HTTPStatus
from typing import cast
from wsgiref.types import WSGIApplication

from chalicelib.local_http import FAILED, MISDIRECTED, Refusal, StrictRequestHandler
from local.stand_in import http_server
from local.stand_in.http_server import RequestHandler

RefusalResponse = tuple[list[tuple[str, str]], bytes]
"""Headers and body."""

_REFUSALS = {HTTPStatus.MISDIRECTED_REQUEST: MISDIRECTED}


def _in_plain_words(refusal: Refusal) -> RefusalResponse:
    return [("Content-Type", "text/plain")], f"{refusal.message}\n".encode()


class HttpServer(http_server.HttpServer):
    """A server of one WSGI application on loopback; port 0 picks a free one.

    name: of the header `Server`. answer_refusal: responds to malformed requests.
    """

    def __init__(
        self,
        application: WSGIApplication,
        port: int,
        name: str,
        answer_refusal: Callable[[Refusal], RefusalResponse] = _in_plain_words,
    ) -> None:
        super().__init__(application, port, name, _StrictHandler)
        self.answer_refusal = answer_refusal


class _StrictHandler(StrictRequestHandler, RequestHandler):
    """A handler that reads like one base class and responds like the other."""

    def check_request(self) -> bool:
        # The strict base class does this, with longer messages.
        return True

    def respond(self) -> None:
        RequestHandler.respond(self)

    def refuse(self, refusal: Refusal) -> None:
        headers, body = cast("HttpServer", self.server).answer_refusal(refusal)
        headers = [*headers, ("Content-Length", str(len(body)))]
        self.write(f"{refusal.status.value} {refusal.status.phrase}", headers, [body])

    def give_up(self, status: HTTPStatus) -> None:
        self.turn_away(_REFUSALS.get(status, FAILED))
