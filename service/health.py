"""Whether the process lives, and whether it can serve: for orchestrators and load balancers."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from repositories.base import Repository


def blueprint(repository: Repository) -> Blueprint:
    """The routes `/health/live` and `/health/ready`."""
    routes = Blueprint("health", __name__, url_prefix="/health")

    @routes.get("/live")
    def live() -> Response:
        return jsonify(status="live")

    @routes.get("/ready")
    def ready() -> Response:
        repository.ping()
        return jsonify(status="ready", backend=repository.backend)

    return routes
