"""A way to a server that can be frozen and cut, to see what becomes of those who are on it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from psycopg.conninfo import conninfo_to_dict
from pymongo.uri_parser import parse_uri

#: A host and port, or the path of a Unix socket.
Address = tuple[str, int] | str


class Knife(Protocol):
    """Cuts one connection."""

    def cut(self, data: bytes, *, to_server: bool) -> int | None:
        """How many of these bytes still come through before the connection ends; None where it does not end."""


class _Blunt:
    def cut(self, data: bytes, *, to_server: bool) -> int | None:
        return None


class Proxy:
    """Forwards bytes between clients on `port` of the loopback and the server at `target`.

    Every connection gets a knife of its own from `knives`.
    """

    def __init__(self, target: Address, knives: Callable[[], Knife] = _Blunt) -> None:
        self._target = target
        self._knives = knives
        self._flows = threading.Event()
        self._flows.set()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def freeze(self) -> None:
        """From now on nothing comes through, in either direction; connections stay open."""
        self._flows.clear()

    def thaw(self) -> None:
        """What has been held back, and what follows, comes through."""
        self._flows.set()

    def cut(self) -> None:
        """Every open connection ends; new ones are taken."""
        _end(self._sockets)
        self._sockets.clear()

    def close(self) -> None:
        self.thaw()
        self.cut()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):  # the listener is closed
            while True:
                client, _ = self._listener.accept()
                server = _connected(self._target)
                for end in (client, server):
                    if end.family == socket.AF_INET:
                        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._sockets = [end for end in self._sockets if end.fileno() >= 0] + [client, server]
                knife = self._knives()
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(
                        target=self._pump, args=[source, sink, knife, source is client], daemon=True
                    ).start()

    def _pump(self, source: socket.socket, sink: socket.socket, knife: Knife, to_server: bool) -> None:
        with suppress(OSError), source:
            while data := source.recv(65536):
                self._flows.wait()
                place = knife.cut(data, to_server=to_server)
                sink.sendall(data[:place])
                if place is not None:
                    _end([source, sink])
                    return
            sink.shutdown(socket.SHUT_WR)


def _end(connections: list[socket.socket]) -> None:
    for connection in connections:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def _connected(target: Address) -> socket.socket:
    if isinstance(target, str):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(target)
        return connection
    return socket.create_connection(target)


@contextmanager
def through_proxy(backend: str, url: str, knives: Callable[[], Knife] = _Blunt) -> Iterator[tuple[Proxy, str]]:
    """A proxy before the database of this URL, and the URL that leads through it."""
    target, way = _postgres(url) if backend == "postgres" else _mongodb(url)
    proxy = Proxy(target, knives)
    try:
        yield proxy, way.format(port=proxy.port)
    finally:
        proxy.close()


def _postgres(url: str) -> tuple[Address, str]:
    parts = conninfo_to_dict(url)
    host, port = str(parts.get("host", "localhost")), int(parts.get("port") or 5432)
    target: Address = f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port)
    password = f":{parts['password']}" if parts.get("password") else ""
    return target, f"postgresql://{parts['user']}{password}@127.0.0.1:{{port}}/{parts['dbname']}"


def _mongodb(url: str) -> tuple[Address, str]:
    parts = parse_uri(url)
    host, port = parts["nodelist"][0]
    target: Address = host if host.startswith("/") else (host, port or 27017)
    login = f"{parts['username']}:{parts['password']}@" if parts["username"] else ""
    options = "directConnection=true&authSource=admin" if login else "directConnection=true"
    return target, f"mongodb://{login}127.0.0.1:{{port}}/{parts['database']}?{options}"
