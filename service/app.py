"""The composition root of the web application: settings and a repository in, a Flask app out."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing import util
from typing import Any

from flask import Flask, Request, redirect
from flask.sessions import NullSession, SessionInterface
from werkzeug.routing import MapAdapter
from werkzeug.wrappers import Response

from repositories.base import Repository
from service import docs_page, health, openapi, problems, resources
from service.advice.shapes import Shapes
from service.config import Settings
from service.keys import KeyConverter
from service.planner.scope import PlanLimits
from service.requests import Api


class _NoSessions(SessionInterface):
    """Clients are not remembered: no cookie is read, none is sent."""

    _none = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:  # noqa: ARG002
        return self._none


class _App(Flask):
    """Flask without what this service has no use for, and would be looked for in every request."""

    session_interface = _NoSessions()

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """The routes of a request, of which none depends on the host: that need not be made out."""
        if request is None:
            return super().create_url_adapter(None)
        environ = request.environ
        scheme, method = environ["wsgi.url_scheme"], environ["REQUEST_METHOD"]
        return MapAdapter(
            self.url_map, "", request.root_path, "", scheme, request.path, method, environ["QUERY_STRING"]
        )

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Every view is a plain function."""
        return func


def create_app(repository: Repository, settings: Settings) -> Flask:
    """The app that serves the repository's catalog."""
    app = _App("service", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body
    app.config["BODY_TIMEOUT"] = settings.body_timeout
    app.url_map.merge_slashes = False
    app.url_map.converters["key"] = KeyConverter
    app.json.sort_keys = False  # type: ignore[attr-defined]
    catalog = repository.catalog.public
    api = Api(
        repository,
        catalog,
        plan_limits(settings),
        settings.api_prefix,
        settings.max_url,
        returning=settings.return_default == "representation",
        max_stream_rows=settings.max_stream_rows,
        csv_guard=settings.csv_guard,
        plans=settings.plan_enabled,
        conditions=settings.require_conditions,
        keys=settings.require_idempotency_key,
        key_expiry=settings.idempotency_expiry,
        max_operations=settings.max_operations,
        shapes=_shapes(settings),
    )
    app.register_blueprint(resources.blueprint(api))
    app.register_blueprint(health.blueprint(repository))
    app.register_blueprint(
        openapi.blueprint(
            catalog,
            settings.api_prefix,
            plans=settings.plan_enabled,
            keys=settings.require_idempotency_key,
            operations=settings.max_operations,
        )
    )
    app.register_blueprint(docs_page.blueprint(catalog, settings.api_prefix))
    problems.install(app)

    @app.get("/")
    def root() -> Response:
        return redirect(settings.api_prefix)

    return app


def _shapes(settings: Settings) -> Shapes | None:
    if settings.record_shapes is None:
        return None
    shapes = Shapes(settings.record_shapes)
    # As in `wsgi.py`: a worker of `multiprocessing` knows no `atexit`.
    util.Finalize(None, shapes.flush, exitpriority=10)
    return shapes


def plan_limits(settings: Settings) -> PlanLimits:
    """What a request may ask for."""
    return PlanLimits(
        max_rows=settings.max_rows,
        max_insert_rows=settings.max_insert_rows,
        max_filters=settings.max_filters,
        max_depth=settings.max_depth,
        max_embeds=settings.max_embeds,
        max_embed_depth=settings.max_embed_depth,
        aggregates=settings.aggregates,
        unfiltered_writes=settings.unfiltered_writes,
    )
