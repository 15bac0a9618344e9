"""`Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a write with a key is carried out once.

The answer is stored under the key in the same transaction as the effect, and is given again to every repetition until
it expires. Refusals by the data (a duplicate, say) are stored as well, those of a malformed request are not.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Response, request

from repositories.base import Executor, Repository
from repositories.errors import NameTaken, RepositoryError
from repositories.query import Column, Comparison, Operator, Output, Param, Read, Selection, Sort
from repositories.schema import Catalog, Field, Index, Kind, Resource, Type
from repositories.writes import Delete, Insert
from service import problems
from service.body import receive
from service.errors import RequestError, bad_syntax
from service.execution import executing, taking_part
from service.planner.records import now
from service.requests import Api

HEADER, _HEADER = "Idempotency-Key", "HTTP_IDEMPOTENCY_KEY"
#: Seconds between two purges of what has expired.
PURGE_SECONDS = 60.0
#: The longest answer that is kept; MongoDB stores no more than 16 MiB in a document.
MAX_ANSWER = 8 * 2**20
#: A structured field's string (RFC 8941), or the same without quotes, as many clients send it.
_KEY = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"|([!#$%&\'*+\-.^_`|~0-9A-Za-z:/=]+)')
MAX_KEY = 255
#: The headers of an answer that are given again.
_KEPT = ("Content-Type", "Content-Range", "ETag", "Location", "Preference-Applied", "Vary")
#: The headers of a request, beside method, URL and body, that make it another one.
_TELLING = ("Accept", "Content-Type", "If-Match", "If-None-Match", "Prefer")

View = Callable[..., Response]


def _fields(*fields: Field) -> dict[str, Field]:
    return {field.name: field for field in fields}


#: Where the answers are kept.
REQUESTS = Resource(
    "_diglot_requests",
    _fields(
        Field("key", Type(Kind.STRING, max_length=MAX_KEY), required=True),
        Field("fingerprint", Type(Kind.STRING), required=True),
        Field("status", Type(Kind.INT32), required=True),
        Field("headers", Type(Kind.JSON), required=True),
        Field("body", Type(Kind.STRING), required=True),
        Field("expires_at", Type(Kind.DATETIME), required=True),
    ),
    ("key",),
    indexes=(Index("_diglot_requests_expires_at_idx", (("expires_at", False),)),),
    description="Answers to requests with an Idempotency-Key.",
    internal=True,
)
_FIELDS = tuple(REQUESTS.fields.values())
_FIND = Selection(
    REQUESTS,
    tuple(Output(field.name, Column(field)) for field in _FIELDS),
    Comparison(Column(REQUESTS.fields["key"]), Operator.EQ, Param(0)),
    (Sort(Column(REQUESTS.fields["key"])),),
)
_EXPIRED = Comparison(Column(REQUESTS.fields["expires_at"]), Operator.LTE, Param(0))


def with_requests(catalog: Catalog) -> Catalog:
    """The catalog with the resource that the answers are kept in."""
    return Catalog({**catalog.resources, REQUESTS.name: REQUESTS})


def once(api: Api) -> Callable[[View], View]:
    """Let a view carry a request with a key out once. Raises `RequestError` (400, 409, 422)."""
    keeper = _Keeper(api.repository, timedelta(seconds=api.key_expiry))

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def carried_out_once(**parts: Any) -> Response:
            header = request.environ.get(_HEADER)
            if executing():
                if header is not None:
                    raise bad_syntax(f"{HEADER} belongs to the batch, not to one of its operations.")
                return view(**parts)
            if header is not None:
                return keeper.answer(parse_idempotency_key(header), lambda: view(**parts))
            if api.keys:
                raise bad_syntax(f"A write needs an {HEADER} here.", hint="Send a UUID of your own with each request.")
            return view(**parts)

        return carried_out_once

    return decorate


def parse_idempotency_key(header: str) -> str:
    """The key that the header holds. Raises `RequestError` (PGRST100)."""
    match = _KEY.fullmatch(header.strip())
    key = "" if match is None else match[2] or re.sub(r"\\(.)", r"\1", match[1] or "")
    if not 1 <= len(key) <= MAX_KEY:
        raise bad_syntax(
            f'{HEADER} is a text in double quotes, of 1 to {MAX_KEY} characters of ASCII: "8e03978e-40d5".'
        )
    return key


class _Keeper:
    """Keeps answers by their requests' keys."""

    def __init__(self, repository: Repository, expiry: timedelta) -> None:
        self._repository = repository
        self._expiry = expiry
        self._next_purge = 0.0

    def answer(self, key: str, view: Callable[[], Response]) -> Response:
        """The view's answer, or the one that it has given before."""
        fingerprint = _fingerprint()
        name = f"request {key}"

        def work(transaction: Executor) -> Response:
            known = self._known(transaction, key, fingerprint)
            if known is not None:
                return known
            with taking_part(transaction):
                response = view()
            self._keep(transaction, key, fingerprint, response)
            return response

        try:
            response = self._repository.transact(work, name=name)
        except NameTaken as error:
            raise _in_flight(error) from error
        except (RequestError, RepositoryError) as error:
            response = self._refused(key, fingerprint, name, error)
        self._purge()
        return response

    def _refused(self, key: str, fingerprint: str, name: str, error: RequestError | RepositoryError) -> Response:
        """The answer to what has been refused for its data; no effect is there that it could be kept with."""
        refusal = problems.refusal(error) if isinstance(error, RepositoryError) else error
        if refusal.status >= 500 or not refusal.by_data:
            raise error
        response = problems.of_request(refusal)

        def work(transaction: Executor) -> Response:
            known = self._known(transaction, key, fingerprint)
            if known is None:
                self._keep(transaction, key, fingerprint, response)
            return known or response

        try:
            return self._repository.transact(work, name=name)
        except NameTaken as taken:
            raise _in_flight(taken) from taken

    def _known(self, transaction: Executor, key: str, fingerprint: str) -> Response | None:
        """The answer kept under the key. Raises `RequestError` (422) where the key was another request's."""
        for row in transaction.rows(Read(_FIND, (key,))).rows:
            _, before, status, headers, body, expires = row
            if expires <= now():
                transaction.write(Delete(REQUESTS, _FIND.where, (key,)))
                return None
            if before != fingerprint:
                raise RequestError(
                    422,
                    "PGRST422",
                    f"The {HEADER} has been used for another request.",
                    hint="Use a new key for each request; repeat a request as it was, with its body and headers.",
                )
            response = Response(body, status, {**headers, "Idempotent-Replayed": "true"})
            if "Content-Type" not in headers:  # Flask gives every answer one
                del response.headers["Content-Type"]
            return response
        return None

    def _keep(self, transaction: Executor, key: str, fingerprint: str, response: Response) -> None:
        body = response.get_data()
        if len(body) > MAX_ANSWER:
            raise RequestError(
                413,
                "54000",
                f"The answer to a request with an {HEADER} has {MAX_ANSWER} bytes at the most.",
                hint="Send Prefer: return=minimal.",
            )
        headers = {name: response.headers[name] for name in _KEPT if name in response.headers}
        row = (key, fingerprint, response.status_code, headers, body.decode(), now() + self._expiry)
        transaction.write(Insert(REQUESTS, _FIELDS, [row]))

    def _purge(self) -> None:
        """Delete what has expired, now and then. It does not matter whether that succeeds."""
        if time.monotonic() < self._next_purge:
            return
        self._next_purge = time.monotonic() + PURGE_SECONDS
        with contextlib.suppress(RepositoryError):
            self._repository.write(Delete(REQUESTS, _EXPIRED, (now(),)))


def _fingerprint() -> str:
    """What tells one request from another."""
    digest = hashlib.blake2b(digest_size=16)
    parts = [request.method, request.environ["PATH_INFO"], request.environ["QUERY_STRING"]]
    parts += [request.headers.get(name, "") for name in _TELLING]
    digest.update("\0".join(parts).encode("utf-8", "surrogateescape"))
    digest.update(receive(request).read())
    return digest.hexdigest()


def _in_flight(error: NameTaken) -> RequestError:
    hint = "Wait for its answer, or repeat the request in a moment."
    return RequestError(409, error.code, error.message, hint=hint, headers={"Retry-After": problems.RETRY_AFTER})
