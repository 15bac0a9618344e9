"""`POST /api/_batch`: several operations, carried out in order, in one transaction: all of them or none."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import jiter
import orjson
from flask import Blueprint, Response, current_app, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.test import EnvironBuilder

from repositories.base import Executor
from repositories.errors import RepositoryError
from service import problems
from service.body import BROUGHT, BodyType, read_body
from service.errors import RequestError, Violation, bad_body, bad_syntax
from service.execution import taking_part, transact
from service.idempotency import HEADER, once
from service.negotiation import DEFAULT, LINKS, negotiate
from service.references import Results, resolve, resolve_text
from service.representation.responses import respond
from service.requests import OPERATION, Api

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_ALLOWED = ("OPTIONS", "POST")
_MEMBERS = {"id", "method", "path", "headers", "body"}
#: Headers that are the batch's business, or its server's.
_REFUSED = {name.lower() for name in (HEADER, "Content-Length", "Transfer-Encoding", "Content-Encoding", "Host")}
#: The names that headers can have (RFC 9110, section 5.6.2), and what no value of theirs can hold.
_TOKEN, _CONTROL = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"), re.compile(r"[^\t\x20-\x7e\x80-\U0010ffff]")
#: The headers of an operation's answer that are told.
_TOLD = ("Content-Range", "ETag", "Location", "Preference-Applied")


@dataclass(frozen=True, slots=True)
class Operation:
    """One request of a batch; its path, headers and body may refer to results of earlier ones."""

    name: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    has_body: bool


def add_route(routes: Blueprint, api: Api) -> None:
    """Let the blueprint answer batches."""

    @routes.post("/_batch", provide_automatic_options=False)
    @once(api)
    def carry_out_batch() -> Response:
        negotiate(request.headers.get("Accept"), LINKS)
        if OPERATION in request.environ:
            raise bad_syntax("A batch takes no other batch as an operation.")
        operations = parse_batch(read_body(request).json(), api)
        answers = transact(api.repository, lambda transaction: _carry_out(transaction, operations))
        return respond(b"[%b]" % b",".join(answers), 200, DEFAULT)

    # Without these, the routes of resources would be taken for this path's, too.
    @routes.route("/_batch", methods=["OPTIONS", "GET", "PUT", "PATCH", "DELETE"])
    def tell_methods_of_batches() -> Response:
        if request.method != "OPTIONS":
            raise MethodNotAllowed(_ALLOWED)
        return Response(headers={"Allow": ", ".join(_ALLOWED)}, content_type="text/plain")


def parse_batch(body: Any, api: Api) -> list[Operation]:
    """The operations of a batch. Raises `RequestError`."""
    if not isinstance(body, list):
        raise bad_body("A batch is an array of operations.")
    if len(body) > api.max_operations:
        raise RequestError(413, "54000", f"A batch has {api.max_operations} operations at the most.")
    operations = [_parse(index, item, api.prefix) for index, item in enumerate(body)]
    names = [operation.name for operation in operations]
    for index, name in enumerate(names):
        if names.index(name) < index:
            raise _bad(index, "id", "Two operations have the same id.")
    return operations


def _parse(index: int, item: Any, prefix: str) -> Operation:
    if not isinstance(item, dict):
        raise _bad(index, "", "An operation is an object with a method and a path.")
    for name in item:
        if name not in _MEMBERS:
            raise _bad(index, name[:80], f"An operation has the members {', '.join(sorted(_MEMBERS))}.")
    name, method, path = item.get("id", str(index)), item.get("method"), item.get("path")
    if not isinstance(name, str) or not name or (name.isdigit() and name != str(index)):
        raise _bad(index, "id", "An id is a text, and not the number of another operation.")
    if method not in METHODS:
        raise _bad(index, "method", f"A method is one of {', '.join(METHODS)}.")
    if not isinstance(path, str) or not path.startswith(("${", prefix.rstrip("/") + "/")):
        raise _bad(index, "path", f"A path begins with {prefix.rstrip('/')}/.")
    headers = item.get("headers", {})
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise _bad(index, "headers", "Headers are an object of texts.")
    for header in headers:
        if not _TOKEN.fullmatch(header):
            raise _bad(index, "headers", "A header has a name of letters, digits and hyphens.")
        if header.lower() in _REFUSED:
            raise _bad(index, "headers", f"An operation does not take the header {header[:80]}.")
    return Operation(name, method, path, headers, item.get("body"), "body" in item)


def _carry_out(transaction: Executor, operations: Sequence[Operation]) -> list[bytes]:
    """The answers, as JSON. What an operation is refused for ends the batch, and tells the operation's index."""
    results: Results = {}
    answers = []
    for index, operation in enumerate(operations):
        try:
            with taking_part(transaction):
                response = _answer(operation, results)
        except RequestError as error:
            raise _located(error, index) from error
        except HTTPException as error:
            raise _located(problems.refusal(error), index) from error
        except RepositoryError as error:
            if problems.STATUS[type(error)] >= 500:
                raise
            raise _located(problems.refusal(error), index) from error
        headers = {name: response.headers[name] for name in _TOLD if name in response.headers}
        body = response.get_data() or b"null"
        results[operation.name] = results[str(index)] = {
            "status": response.status_code,
            "headers": headers,
            "body": jiter.from_json(body, float_mode="decimal"),
        }
        answers.append(b'{"status":%d,"headers":%b,"body":%b}' % (response.status_code, orjson.dumps(headers), body))
    return answers


def _answer(operation: Operation, results: Results) -> Response:
    """The answer of the view that the operation is for, which is called as for a request of its own."""
    url = urlsplit(resolve_text(operation.path, results, encoded=True))
    headers = [(name, resolve_text(value, results)) for name, value in operation.headers.items()]
    if any(_CONTROL.search(value) for _, value in headers):
        raise bad_syntax("A header holds no line breaks, and no other control characters.")
    builder = EnvironBuilder(url.path, method=operation.method, query_string=url.query, headers=headers)
    environ = builder.get_environ() | {OPERATION: True}
    if operation.has_body:
        environ[BROUGHT] = resolve(operation.body, results)
        environ.setdefault("CONTENT_TYPE", BodyType.JSON)
    with current_app.request_context(environ):
        refused = current_app.preprocess_request()
        return current_app.make_response(refused or current_app.dispatch_request())


def _located(error: RequestError, index: int) -> RequestError:
    errors = tuple(replace(each, pointer=f"/{index}/body{each.pointer}") for each in error.errors)
    return replace(error, errors=errors or (Violation(f"/{index}", error.code, error.message),))


def _bad(index: int, member: str, details: str) -> RequestError:
    pointer = f"/{index}/{member}" if member else f"/{index}"
    error = bad_body("An operation of the batch is not understood", f"{pointer}: {details}")
    return replace(error, errors=(Violation(pointer, error.code, details),))
