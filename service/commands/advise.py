"""`diglot schema advise`: the indexes that reads lack, in each store, and on demand the proof."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from repositories.base import Repository
from repositories.connect import BACKENDS
from repositories.query import Selection
from repositories.schema import Catalog
from service import catalog
from service.advice.advising import Advice, Lack, Request, beyond_help, lacking, with_index
from service.advice.advising import advise as advised
from service.advice.sources import listed
from service.commands.advice import Findings, Trial, document, show
from service.commands.explain import asking, read_of
from service.commands.options import Backend, DataDir, Resources
from service.config import Settings, load
from service.store import located, open_repository, prepare_schema

#: Shapes of reads that are looked at, those that occur most often.
MOST = 500
#: Requests that an index is tried with.
TRIALS = 3
_LACKING, _DATABASE = 1, 3


def advise(  # noqa: PLR0917  (Typer calls it by name)
    url: Annotated[
        list[str] | None,
        typer.Option("--url", "-u", help="A read: 'products?category_id=eq.1&order=price.desc'. Repeatable."),
    ] = None,
    source: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            exists=True,
            help="A file of URLs, an access log, or a folder of counted shapes (DIGLOT_RECORD_SHAPES). Repeatable.",
        ),
    ] = None,
    prove: Annotated[
        bool,
        typer.Option(
            "--try",
            help="Build each index, run the reads with it, and remove it. PostgreSQL keeps writers waiting "
            "meanwhile; MongoDB lets other clients use the index meanwhile.",
        ),
    ] = False,
    backend: Backend = None,
    demo: Annotated[bool, typer.Option("--demo", help="Ask the demo's shop.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    resources: Resources = None,
    data_dir: DataDir = None,
) -> None:
    """Name the indexes that reads lack in PostgreSQL and in MongoDB, as lines for the resource file.

    The reads are those given, or those counted in the folder DIGLOT_RECORD_SHAPES. Ask databases that hold real data:
    a plan for a few records says little. Exit code 0: nothing is lacking; 1: an index is.
    """
    settings = asking(load(backend=backend, resources=resources, data_dir=data_dir), demo=demo)
    declared = catalog.load(settings.resources)
    requests = _requests(url or [], source or [], declared, settings)
    findings = _findings(requests, declared, settings, BACKENDS if backend is None else (settings.backend,), prove)
    if as_json:
        typer.echo(json.dumps(document(findings), indent=2, ensure_ascii=False))
    else:
        show(findings, len(requests))
    if findings.faults:
        raise typer.Exit(_DATABASE)
    if any(map(findings.is_wanted, findings.advice)):
        raise typer.Exit(_LACKING)


def _requests(urls: list[str], sources: list[Path], declared: Catalog, settings: Settings) -> list[Request]:
    """The reads, one of each shape, the most frequent first. What is no read is refused only if typed."""
    if not urls and not sources:
        if settings.record_shapes is None or not settings.record_shapes.is_dir():
            raise typer.BadParameter("Give reads with --url or --from, or set DIGLOT_RECORD_SHAPES to their folder.")
        sources = [settings.record_shapes]
    found: dict[Selection, Request] = {}

    def add(text: str, count: int) -> None:
        read = read_of(text, declared, settings)
        known = found.get(read.selection)
        found[read.selection] = (
            Request(text, read, count) if known is None else replace(known, count=known.count + count)
        )

    for text in urls:
        add(text, 1)
    for text, count in sum(map(listed, sources), Counter[str]()).items():
        try:
            add(text, count)
        except typer.BadParameter:
            continue
    return sorted(found.values(), key=lambda request: -request.count)[:MOST]


def _findings(
    requests: list[Request], declared: Catalog, settings: Settings, backends: tuple[str, ...], prove: bool
) -> Findings:
    """What each store says of the requests, and with `prove` of the indexes that they lack."""
    found = Findings()
    with ExitStack() as stack:
        stores: dict[str, Repository] = {}
        lacks: list[Lack] = []
        for name in backends:
            with found.noting(name):
                stores[name] = _opened(stack, settings.model_copy(update={"backend": name}), declared)
                lacks += _lacks(stores[name], requests, found.beyond)
        found.advice = advised(lacks)
        for advice in found.advice if prove else ():
            for name in advice.backends:
                with found.noting(name):
                    found.trials += _tried(stores[name], advice, declared, settings)
    return found


def _opened(stack: ExitStack, settings: Settings, declared: Catalog) -> Repository:
    complete = stack.enter_context(located(settings))
    repository = stack.enter_context(open_repository(complete, declared))
    repository.ping()
    prepare_schema(repository, complete.schema_mode)
    return repository


def _lacks(repository: Repository, requests: list[Request], beyond: list[str]) -> list[Lack]:
    lacks = []
    for request in requests:
        explanation = repository.explain(request.read)
        lacks += lacking(repository.backend, repository.indexing, request, explanation)
        beyond += [
            f"{request.text}: {repository.backend} reads all of {name}" for name in beyond_help(request, explanation)
        ]
    return lacks


def _tried(repository: Repository, advice: Advice, declared: Catalog, settings: Settings) -> list[Trial]:
    wanting = {lack.request.text: lack.request for lack in advice.lacks if lack.backend == repository.backend}
    requests = list(wanting.values())[:TRIALS]
    before = [repository.explain(request.read, analyze=True) for request in requests]
    wider = with_index(declared, advice)
    reads = [read_of(request.text, wider, settings) for request in requests]
    after = repository.try_index(advice.resource, advice.index, reads)
    return [Trial(advice, repository.backend, *each) for each in zip(requests, before, after, strict=True)]
