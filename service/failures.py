"""What a command says and returns when it fails: one message and one exit code for each kind of error."""

from __future__ import annotations

import re
import traceback
from pathlib import Path
from typing import NamedTuple

from repositories.connect import EmbeddedServerError
from repositories.errors import RepositoryError
from service.catalog import CatalogError
from service.config import ConfigurationError
from service.log import masked
from service.store import SchemaPendingError
from service.transfer.formats import TransferError

EXIT_CODES = """\
Exit codes: 0 done; 1 differences found (schema diff, schema advise); 2 usage, configuration or resource file;
3 database; 4 port taken; 5 a file refused (import, export); 70 a defect of diglot; 130 interrupted."""

_DEFECT = 70
#: What drivers append for their own developers: timeouts, topologies, the server's whole answer.
_DETAILS = re.compile(r" \(configured timeouts|,? full error:")


class PortTakenError(Exception):
    """The configured address cannot be listened on."""


class Failure(NamedTuple):
    """What to print to standard error, and the exit code."""

    message: str
    code: int


_CODES: dict[type[Exception], int] = {
    ConfigurationError: 2,
    CatalogError: 2,
    EmbeddedServerError: 3,
    SchemaPendingError: 3,
    RepositoryError: 3,
    PortTakenError: 4,
    TransferError: 5,
}


def explain(error: Exception) -> Failure:
    """The failure in an operator's terms, without a traceback and without passwords."""
    code = next((code for kind, code in _CODES.items() if isinstance(error, kind)), _DEFECT)
    if code == _DEFECT:
        frame = traceback.extract_tb(error.__traceback__)[-1:]
        place = "".join(f" at {Path(f.filename).name}:{f.lineno}" for f in frame)
        return Failure(masked(f"diglot has a defect: {type(error).__name__}{place}: {_first_line(error)}"), code)
    message = str(error)
    if isinstance(error, RepositoryError) and (reason := _reason(error)):
        message = f"{message} The driver says: {reason}"
    return Failure(masked(message), code)


def _reason(error: BaseException) -> str:
    """The driver's words, which clients are not shown, but whoever starts the service needs."""
    cause = error.__cause__
    while cause is not None and cause.__cause__ is not None:
        cause = cause.__cause__
    return _first_line(cause) if cause is not None else ""


def _first_line(error: BaseException) -> str:
    lines = (line.strip() for line in str(error).split("\n"))
    first = next((line for line in lines if line), type(error).__name__)
    return _DETAILS.split(first, maxsplit=1)[0][:300]
