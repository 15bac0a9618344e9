"""Whether the process lives, and whether it can serve: for orchestrators and load balancers."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from repositories.base import Repository
from repositories.errors import RepositoryError
from service.problems import RETRY_AFTER


def blueprint(repository: Repository) -> Blueprint:
    """The routes `/health/live` and `/health/ready`."""
    routes = Blueprint("health", __name__, url_prefix="/health")

    @routes.get("/live")
    def live() -> Response:
        return jsonify(status="live")

    @routes.get("/ready")
    def ready() -> Response:
        try:
            repository.ping()
        except RepositoryError as error:
            response = jsonify(status="unready", backend=repository.backend, code=error.code, message=error.message)
            response.status_code = 503
            response.headers["Retry-After"] = RETRY_AFTER
            return response
        return jsonify(status="ready", backend=repository.backend)

    return routes
