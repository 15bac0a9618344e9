"""The WSGI application of one worker process, wired from the configuration."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from multiprocessing import util

from flask import Flask

from service import log
from service.app import create_app
from service.config import Settings, load
from service.store import open_repository


def create(settings: Settings | None = None) -> Flask:
    """The application; without settings, for a server other than Granian, those of the environment."""
    settings = settings or load()
    log.configure(settings.log_level, settings.log_format)
    repository = open_repository(settings)
    # Runs when a worker of any kind ends, also one of `multiprocessing`, which knows no `atexit`.
    util.Finalize(None, repository.close, exitpriority=10)
    _end_with_the_parent()
    app = create_app(repository, settings)
    # What is there now stays: collecting it again and again would only delay the requests in between.
    gc.collect()
    gc.freeze()
    return app


def _end_with_the_parent() -> None:
    """Stop this worker when its parent is gone (killed, say), for nobody would stop it any more."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
