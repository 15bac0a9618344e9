"""A client's connection to the service: one request at a time, each sent in one piece, no half answer taken for one."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import Any, BinaryIO

ANSWER_SECONDS = 60


class Broken(Exception):
    """The connection has ended before the answer had come whole."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body) if self.body else None

    @property
    def code(self) -> str:
        """The code of a refusal."""
        return str(self.json()["code"]) if self.status >= 400 else ""


class Line:
    """Connects when it must."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._connection: socket.socket | None = None
        self._stream: BinaryIO | None = None

    def exchange(self, method: str, path: str, headers: dict[str, str], body: Any = None) -> Answer:
        """The answer to a request. Raises `Broken`."""
        content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: ledger", f"Content-Length: {len(content)}"]
        if body is not None:
            lines.append("Content-Type: application/json")
        lines += [f"{name}: {value}" for name, value in headers.items()]
        try:
            connection, stream = self._connected()
            connection.sendall("\r\n".join([*lines, "", ""]).encode() + content)
            answer = _answer(stream)
        except OSError as error:
            self.close()
            raise Broken from error
        except Broken:
            self.close()
            raise
        if answer.headers.get("connection", "").lower() == "close":
            self.close()
        return answer

    def close(self) -> None:
        if self._connection is not None and self._stream is not None:
            self._stream.close()
            self._connection.close()
        self._connection = self._stream = None

    def _connected(self) -> tuple[socket.socket, BinaryIO]:
        if self._connection is None or self._stream is None:
            self._connection = socket.create_connection(self._address, timeout=ANSWER_SECONDS)
            self._stream = self._connection.makefile("rb")
        return self._connection, self._stream


def _answer(stream: BinaryIO) -> Answer:
    status = int(_line(stream).split()[1])
    headers = {}
    while line := _line(stream):
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    length = 0 if status == 204 else int(headers["content-length"])
    body = stream.read(length)
    if len(body) < length:
        raise Broken
    return Answer(status, headers, body)


def _line(stream: BinaryIO) -> str:
    line = stream.readline()
    if not line.endswith(b"\r\n"):
        raise Broken
    return line[:-2].decode("latin-1")
