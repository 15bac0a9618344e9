"""The log: structlog for this service and for the libraries' own loggers, on standard error, without passwords."""

from __future__ import annotations

import logging
import logging.config
import re
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

#: Granian configures its logger in every worker anew: let what it says reach the root logger, and only what matters.
GRANIAN: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {},
    "handlers": {},
    "filters": {"advice": {"()": "service.log.no_advice"}},
    "loggers": {"_granian": {"handlers": [], "propagate": True, "filters": ["advice"]}},
}

_PASSWORD = re.compile(r"(://[^:/?#@\s]*:)[^/\s]*@")


def configure(level: str, form: str) -> None:
    """Log from `level` on, as `form` (`console` or `json`) has it. Calling it again replaces what was configured."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper("iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer, _masked],
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # The drivers tell each failed connection anew; the service reports it once, as the error of the request.
    for name in ("psycopg.pool", "pymongo", "filelock"):
        logging.getLogger(name).setLevel(logging.ERROR)


def masked(text: str) -> str:
    """The text with the passwords of the URLs in it struck out."""
    return _PASSWORD.sub(r"\1***@", text)


def _masked(_logger: WrappedLogger, _name: str, event: EventDict | str) -> str:
    return masked(str(event))


def no_advice() -> _NoAdvice:
    """The filter that drops Granian's advice on the number of threads, which are chosen for waiting on the database."""
    return _NoAdvice()


class _NoAdvice(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return "Python threads" not in str(record.msg)
