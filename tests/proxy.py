"""A way to a database server that can be frozen and cut, to see what becomes of those who are on it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from psycopg.conninfo import conninfo_to_dict
from pymongo.uri_parser import parse_uri

#: A host and port, or the path of a Unix socket.
Address = tuple[str, int] | str


class Proxy:
    """Forwards bytes between clients on `port` of the loopback and the server at `target`."""

    def __init__(self, target: Address) -> None:
        self._target = target
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
        for end in self._sockets:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
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
                self._sockets += [client, server]
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self._pump, args=[source, sink], daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError), source:
            while data := source.recv(65536):
                self._flows.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


def _connected(target: Address) -> socket.socket:
    if isinstance(target, str):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(target)
        return connection
    return socket.create_connection(target)


@contextmanager
def through_proxy(backend: str, url: str) -> Iterator[tuple[Proxy, str]]:
    """A proxy before the database of this URL, and the URL that leads through it."""
    target, way = _postgres(url) if backend == "postgres" else _mongodb(url)
    proxy = Proxy(target)
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
