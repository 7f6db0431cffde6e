"""The servers of the site and the sign-in: the stand-in's, with the strictness and the words of `chalice local`."""

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
    """Serves one WSGI application on loopback; port 0 takes a free one.

    name: of the header `Server`. answer_refusal: how what is no request is answered.
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
    """Reads as the one base does, and answers as the other."""

    def check_request(self) -> bool:
        # The strict base does, with more words.
        return True

    def respond(self) -> None:
        RequestHandler.respond(self)

    def refuse(self, refusal: Refusal) -> None:
        headers, body = cast("HttpServer", self.server).answer_refusal(refusal)
        headers = [*headers, ("Content-Length", str(len(body)))]
        self.write(f"{refusal.status.value} {refusal.status.phrase}", headers, [body])

    def give_up(self, status: HTTPStatus) -> None:
        self.turn_away(_REFUSALS.get(status, FAILED))
