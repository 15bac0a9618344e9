"""The composition root of the web application: settings and a repository in, a Flask app out."""

from __future__ import annotations

from flask import Flask, redirect
from werkzeug.wrappers import Response

from repositories.base import Repository
from service import health, problems, resources
from service.config import Settings
from service.keys import KeyConverter
from service.planner.scope import PlanLimits


def create_app(repository: Repository, settings: Settings) -> Flask:
    """The app that serves the repository's catalog."""
    app = Flask("service", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body
    app.url_map.merge_slashes = False
    app.url_map.converters["key"] = KeyConverter
    app.json.sort_keys = False  # type: ignore[attr-defined]
    limits = PlanLimits(
        max_rows=settings.max_rows,
        max_insert_rows=settings.max_insert_rows,
        max_filters=settings.max_filters,
        max_depth=settings.max_depth,
        unfiltered_writes=settings.unfiltered_writes,
    )
    api = resources.Api(
        repository,
        repository.catalog,
        limits,
        settings.api_prefix,
        settings.max_url,
        settings.return_default == "representation",
    )
    app.register_blueprint(resources.blueprint(api))
    app.register_blueprint(health.blueprint(repository))
    problems.install(app)

    @app.get("/")
    def root() -> Response:
        return redirect(settings.api_prefix)

    return app
