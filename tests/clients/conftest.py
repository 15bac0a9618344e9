"""Both clients, in front of the service, on both stores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest
from postgrest import SyncPostgrestClient

from tests.clients import javascript
from tests.clients.answers import Answer, PythonQuery, ask_python
from tests.clients.service import STORES, serving
from tests.conftest import Servers

#: Asks with the query in the client's language, of the two given.
Ask = Callable[[str, PythonQuery], Answer]
#: The URL of the API by the name of its backend.
ServiceUrl = Callable[[str], str]
#: What asks, by the client's language and the backend.
Clients = Callable[[str, str], Ask]


@pytest.fixture(scope="session")
def script(pytestconfig: pytest.Config) -> Path:
    assert pytestconfig.cache is not None
    return javascript.install(pytestconfig.cache.mkdir("clients"))


@pytest.fixture(scope="session")
def service_url(running: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceUrl]:
    """The URL of the API by backend; each service is started when it is first asked for."""
    with ExitStack() as stack:

        @cache
        def url(backend: str) -> str:
            server: str = getattr(running, backend)
            return stack.enter_context(serving(backend, server, tmp_path_factory.mktemp(backend)))

        yield url


@pytest.fixture(scope="session")
def clients(service_url: ServiceUrl, script: Path) -> Iterator[Clients]:
    """What asks a client of a backend; each client is started when it is first asked for."""
    with ExitStack() as stack:

        @cache
        def client(language: str, backend: str) -> Ask:
            url = service_url(backend)
            if language == "javascript":
                node = stack.enter_context(javascript.running(script, url))
                return lambda expression, _: node.ask(expression)
            session = stack.enter_context(SyncPostgrestClient(url))
            return lambda _, query: ask_python(session, query)

        yield client


@pytest.fixture(params=sorted(STORES))
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["javascript", "python"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def ask(clients: Clients, language: str, backend: str) -> Ask:
    """What asks one client of one backend."""
    return clients(language, backend)
