"""A real HTTP server on loopback that behaves like an OpenAI-compatible endpoint, or misbehaves."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behaviour = Callable[["Handler", dict[str, Any]], None]


class Handler(BaseHTTPRequestHandler):
    """Answers each request as the server is told to."""

    protocol_version = "HTTP/1.1"
    server: FakeServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        behaviour = self.server.take(body, {k.lower(): v for k, v in self.headers.items()})
        try:
            behaviour(self, body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            self.server.leave()

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def start(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def write(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def event(self, **fields: Any) -> None:
        chunk = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m", **fields}
        self.write(f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode())

    def piece(self, text: str) -> None:
        self.event(choices=[{"index": 0, "delta": {"content": text}, "finish_reason": None}])


class FakeServer(ThreadingHTTPServer):
    """Does one behaviour after the other; the last one again and again."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.does: list[Behaviour] = []
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []
        self.most_at_once = 0
        self.left = threading.Event()
        self._inside = 0
        self._lock = threading.Lock()

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):  # else the client has hung up
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def take(self, body: dict[str, Any], headers: dict[str, str]) -> Behaviour:
        with self._lock:
            self.bodies.append(body)
            self.headers.append(headers)
            self.times.append(time.monotonic())
            self._inside += 1
            self.most_at_once = max(self.most_at_once, self._inside)
            return self.does.pop(0) if len(self.does) > 1 else self.does[0]

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
        self.left.set()


@contextmanager
def serving() -> Iterator[FakeServer]:
    with FakeServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def says(*pieces: str, finish: str = "stop", usage: tuple[int, int] | None = (10, 5)) -> Behaviour:
    """A whole answer; a function's arguments when a function was asked for."""

    def behave(handler: Handler, body: dict[str, Any]) -> None:
        handler.start()
        for number, piece in enumerate(pieces):
            handler.event(choices=[{"index": 0, "delta": _delta(body, piece, number)}])
        handler.event(choices=[{"index": 0, "delta": {}, "finish_reason": finish}])
        if usage and body.get("stream_options"):
            counts = {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
            handler.event(choices=[], usage={**counts, "total_tokens": sum(usage)})
        handler.write(b"data: [DONE]\n\n")
        handler.write(b"")

    return behave


def _delta(body: dict[str, Any], piece: str, number: int) -> dict[str, Any]:
    if "tools" not in body:
        return {"content": piece}
    name = {"name": body["tools"][0]["function"]["name"]} if not number else {}
    call = {"index": 0, "id": "t", "type": "function", "function": {**name, "arguments": piece}}
    return {"tool_calls": [call]}


def fails(
    status: int, *, headers: dict[str, str] | None = None, detail: Any = None, **error: Any
) -> Behaviour:
    """An HTTP error as OpenAI words it; `detail`: as FastAPI does."""

    def behave(handler: Handler, _: dict[str, Any]) -> None:
        body = {"detail": detail} if detail else {"error": {"message": "no", **error}}
        data = json.dumps(body).encode()
        handler.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(data))}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Type", "application/json")
        handler.end_headers()
        handler.wfile.write(data)

    return behave


def cut(*pieces: str) -> Behaviour:
    """Some pieces, then the connection is gone."""

    def behave(handler: Handler, _: dict[str, Any]) -> None:
        handler.start()
        for piece in pieces:
            handler.piece(piece)
        handler.close_connection = True

    return behave


def stops_without_reason(*pieces: str) -> Behaviour:
    """Some pieces, then a proper end of the response, but none of the answer."""

    def behave(handler: Handler, _: dict[str, Any]) -> None:
        handler.start()
        for piece in pieces:
            handler.piece(piece)
        handler.write(b"")

    return behave


def tells_error_in_stream(handler: Handler, _: dict[str, Any]) -> None:
    handler.start()
    handler.piece("开头")
    handler.write(b'data: {"error": {"message": "overloaded"}}\n\n')
    handler.write(b"")


def never_stops(handler: Handler, _: dict[str, Any]) -> None:
    handler.start()
    while True:
        handler.piece("再")
        time.sleep(0.005)


def keeps_alive(handler: Handler, _: dict[str, Any]) -> None:
    """Says nothing, but sends comments, as servers do while a prompt is read."""
    handler.start()
    while True:
        handler.write(b": keep-alive\n\n")
        time.sleep(0.01)


def page(handler: Handler, _: dict[str, Any]) -> None:
    """Some web page, with status 200."""
    data = b"<html>hello</html>"
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)


def refuses(*forms: str, then: Behaviour, status: int = 400) -> Behaviour:
    """Refuses ways to ask for fields, as DeepSeek does; answers the others."""

    def behave(handler: Handler, body: dict[str, Any]) -> None:
        if form_of(body) in forms:
            fails(
                status,
                message="This response_format type is unavailable now",
                type="invalid_request_error",
            )(handler, body)
        else:
            then(handler, body)

    return behave


def form_of(body: dict[str, Any]) -> str:
    """The way in which a request asks for fields: a rung of the ladder."""
    if "tools" in body:
        return "function_calling"
    kind = body.get("response_format", {}).get("type")
    return {"json_schema": "json_schema", "json_object": "json_mode"}.get(kind, "parse")
