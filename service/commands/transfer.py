"""`diglot import` and `diglot export`: files into resources and back."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from repositories.base import Repository
from repositories.schema import Catalog, Resource
from service import catalog, log
from service.commands.options import Backend, DataDir, Resources
from service.commands.progress import Bar, error_console, progress
from service.config import Settings, load
from service.errors import RequestError
from service.planner.scope import resource_named
from service.store import located, open_repository, prepare_schema
from service.transfer import exporter
from service.transfer.formats import SUFFIXES, Format, TransferError, format_of
from service.transfer.importer import BATCH, MAX_KEPT, BadRecords, Import
from service.transfer.ordering import referenced_first
from service.transfer.source import STANDARD, Source

FormatOption = Annotated[
    Format | None, typer.Option("--format", "-f", help="The file's format; without it, that of its suffix.")
]


def import_(  # noqa: PLR0917  (Typer calls it by name)
    resource: Annotated[str | None, typer.Argument(help="The resource to fill.", show_default=False)] = None,
    file: Annotated[
        str | None, typer.Argument(help="A CSV, JSON or NDJSON file; - is standard input.", show_default=False)
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--all", help="Import every file of a folder into the resource that it is named after."),
    ] = None,
    file_format: FormatOption = None,
    batch: Annotated[int, typer.Option(help="Records in one transaction.", min=1, max=100_000)] = BATCH,
    backend: Backend = None,
    resources: Resources = None,
    data_dir: DataDir = None,
) -> None:
    """Import records from a file, or a folder of files, into the database.

    Everything is checked before anything is written: if one record is at fault, its line and column are listed and
    the database is left as it was. Then records are written in batches, each of them a transaction.

    In CSV an empty field is null and "" is an empty text. Keys and other generated fields may be given.
    """
    if (folder is None) == (resource is None or file is None) or (folder and file_format):
        raise typer.BadParameter("Give a resource and a file, or --all and a folder.")
    settings = load(backend=backend, resources=resources, data_dir=data_dir)
    declared = catalog.load(settings.resources)
    if folder is not None:
        pairs = [(each, str(path)) for each, path in _files(folder, declared)]
    else:
        pairs = [(_resource(declared, resource or ""), file or "")]
    keep = MAX_KEPT // len(pairs)
    imports = [Import(each, Source(name, file_format), batch=batch, keep=keep) for each, name in pairs]
    with progress() as bar:
        _check(imports, bar)
    started = time.monotonic()
    with _prepared(settings, declared) as repository, progress() as bar:
        for each in imports:
            each.write(repository, bar.task(f"Writing {each.resource.name}", each.count))
    count, seconds = sum(each.count for each in imports), time.monotonic() - started
    where = imports[0].resource.name if folder is None else f"{len(imports)} resources"
    typer.echo(f"Imported {count:,} records into {where} ({count / max(seconds, 0.001):,.0f} a second).", err=True)


def export(  # noqa: PLR0917  (Typer calls it by name)
    resource: Annotated[str, typer.Argument(help="The resource to export.", show_default=False)],
    output: Annotated[str, typer.Option("--output", "-o", help="The file to write; - is standard output.")] = STANDARD,
    file_format: FormatOption = None,
    backend: Backend = None,
    resources: Resources = None,
    data_dir: DataDir = None,
) -> None:
    """Export all records of a resource, in the order of its key, so that `diglot import` reads back the same.

    In CSV null is an empty field and an empty text is "". Without --output and --format it is NDJSON.
    """
    settings = load(backend=backend, resources=resources, data_dir=data_dir)
    declared = catalog.load(settings.resources)
    chosen = _resource(declared, resource)
    form = format_of(output, file_format or (Format.NDJSON if output == STANDARD else None))
    with _prepared(settings, declared) as repository, _target(output) as target, progress() as bar:
        advance = bar.task(f"Exporting {chosen.name}", exporter.count(repository, chosen))
        exporter.export(repository, chosen, form, target, advance)


@contextmanager
def _prepared(settings: Settings, declared: Catalog) -> Iterator[Repository]:
    log.configure("warning", settings.log_format)
    with located(settings) as complete, open_repository(complete, declared) as repository:
        repository.ping()
        prepare_schema(repository, complete.schema_mode)
        yield repository


def _check(imports: list[Import], bar: Bar) -> None:
    """Check every file; list the faults of the first that has any."""
    for each in imports:
        try:
            each.check(bar.task(f"Checking {each.source.name}"))
        except BadRecords as error:
            console = error_console()
            for fault in error.faults:
                column = "" if fault.column is None else f", column {fault.column[:80]}"
                console.print(f"{each.source.name}, {error.unit} {fault.place}{column}: {fault.reason}")
            if error.count > len(error.faults):
                console.print(f"… and {error.count - len(error.faults):,} more.")
            raise


def _resource(declared: Catalog, name: str) -> Resource:
    try:
        return resource_named(declared, name)
    except RequestError as error:
        raise typer.BadParameter(f"There is no resource {name[:80]}. {error.hint or ''}".strip()) from None


def _files(folder: Path, declared: Catalog) -> list[tuple[Resource, Path]]:
    """The folder's files with the resources that they are named after, in the order to import them."""
    found: dict[str, Path] = {}
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise TransferError(f"{folder}: cannot be read ({error.strerror}).") from error
    for path in paths:
        if path.suffix.lower() not in SUFFIXES:
            continue
        if path.stem not in declared:
            raise TransferError(f"{path}: there is no resource {path.stem}.")
        if path.stem in found:
            raise TransferError(f"{path}: {path.stem} is in {found[path.stem].name} already.")
        found[path.stem] = path
    if not found:
        raise TransferError(f"{folder}: holds no file with one of the suffixes {', '.join(SUFFIXES)}.")
    return [(resource, found[resource.name]) for resource in referenced_first(declared, found)]


@contextmanager
def _target(output: str) -> Iterator[BinaryIO]:
    """Where to write to. A file takes its place only when it is complete."""
    if output == STANDARD:
        try:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    path = Path(output).resolve()
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as device:
                yield device
            return
        temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with temporary.open("xb") as target:
                yield target
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise TransferError(f"{output}: cannot be written ({error.strerror}).") from error
