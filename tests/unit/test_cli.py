"""The command line: its help, its options, what it prints and the exit codes of its failures."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
import structlog

from repositories.base import Change
from repositories.errors import RepositoryError, Unavailable
from service import catalog, cli, log, store
from service.commands.config import table
from service.config import ConfigurationError, load, variables
from service.failures import explain

RESOURCES = "resources:\n  things:\n    primaryKey: id\n    properties:\n      id: {type: integer}\n"

ADDED = Change("things: create table", "CREATE TABLE things ()")
DROPPED = Change("things: drop column old", "ALTER TABLE things DROP COLUMN old", destructive=True)


class FakeRepository:
    """A store with changes pending, which it applies."""

    def __init__(self, *changes: Change) -> None:
        self.changes = list(changes)
        self.opened_with: tuple[object, ...] = ()

    def open(self, *arguments: object) -> Self:
        self.opened_with = arguments
        return self

    def ping(self) -> None:
        pass

    def schema_changes(self) -> list[Change]:
        return self.changes

    def apply_schema(self, destructive: bool = False) -> list[Change]:
        done = [change for change in self.changes if destructive or not change.destructive]
        self.changes = [change for change in self.changes if change not in done]
        return done

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        pass


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("DIGLOT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DIGLOT_POSTGRES_URL", "postgresql://me:s3cret@db/x")
    monkeypatch.setenv("DIGLOT_MONGODB_URL", "mongodb://me:s3cret@db/x")
    Path("resources.yaml").write_text(RESOURCES)
    root = logging.getLogger()
    before = root.handlers, root.level
    yield
    root.handlers, root.level = before
    structlog.reset_defaults()


def _use(monkeypatch: pytest.MonkeyPatch, *changes: Change) -> FakeRepository:
    repository = FakeRepository(*changes)
    monkeypatch.setattr(store, "connect", repository.open)
    return repository


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["diglot", *arguments])
    with pytest.raises(SystemExit) as raised:
        cli.main()
    code = raised.value.code
    return code if isinstance(code, int) else 0


def test_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(monkeypatch, "--version") == 0
    assert capsys.readouterr().out.startswith("diglot 0.")


@pytest.mark.parametrize("command", [(), ("serve",), ("schema",), ("schema", "diff"), ("schema", "apply"), ("config",)])
def test_help(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]) -> None:
    assert _run(monkeypatch, *command, "--help") == 0
    assert "Usage: diglot" in capsys.readouterr().out


def test_the_help_documents_the_exit_codes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _run(monkeypatch, "--help")
    assert "3 database" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("arguments", [("nosuch",), ("serve", "--nosuch"), ("serve", "--backend", "mysql")])
def test_wrong_usage_is_exit_code_2(monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> None:
    assert _run(monkeypatch, *arguments) == 2


def test_diff_is_0_when_nothing_differs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _use(monkeypatch)
    assert _run(monkeypatch, "schema", "diff") == 0
    assert "as the resource file declares" in capsys.readouterr().out


def test_diff_is_1_and_prints_the_statements(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repository = _use(monkeypatch, ADDED, DROPPED)
    assert _run(monkeypatch, "schema", "diff") == 1
    out = capsys.readouterr().out
    for words in (ADDED.summary, ADDED.statement, DROPPED.statement, "destructive"):
        assert words in out
    assert repository.changes == [ADDED, DROPPED]


def test_brackets_in_a_change_are_printed_as_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _use(monkeypatch, Change("things: column [bold] text[]", "[1]"))
    _run(monkeypatch, "schema", "diff")
    assert "things: column [bold] text[]" in capsys.readouterr().out


def test_apply_leaves_out_what_is_destructive(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repository = _use(monkeypatch, ADDED, DROPPED)
    assert _run(monkeypatch, "schema", "apply") == 0
    assert "Left out" in capsys.readouterr().out
    assert repository.changes == [DROPPED]
    assert _run(monkeypatch, "schema", "apply", "--destructive") == 0
    assert repository.changes == []
    assert _run(monkeypatch, "schema", "apply") == 0
    assert "Nothing to do" in capsys.readouterr().out


def test_options_override_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    repository = _use(monkeypatch)
    Path("other.yaml").write_text(RESOURCES.replace("things", "others"))
    monkeypatch.setenv("DIGLOT_BACKEND", "postgres")
    assert _run(monkeypatch, "schema", "diff", "--backend", "mongodb", "--resources", "other.yaml") == 0
    backend, url, declared, _limits = repository.opened_with
    assert backend == "mongodb"
    assert url == "mongodb://me:s3cret@db/x"
    assert "others" in declared  # type: ignore[operator]


def test_the_json_schema_of_resource_files(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(monkeypatch, "schema", "--json-schema") == 0
    assert json.loads(capsys.readouterr().out) == catalog.json_schema()


def test_config_shows_every_variable_and_no_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIGLOT_PORT", "8123")
    assert _run(monkeypatch, "config") == 0
    out = capsys.readouterr().out
    assert all(variable.name in out for variable in variables())
    assert "8123" in out
    assert "s3cret" not in out


def test_the_documentations_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(monkeypatch, "config", "--markdown") == 0
    assert capsys.readouterr().out.strip() == table()
    assert table().count("\n") == len(list(variables())) + 1


@pytest.mark.parametrize("command", [("config",), ("schema", "diff"), ("serve",)])
def test_a_misspelt_variable_is_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("DIGLOT_BAKEND", "mongodb")
    assert _run(monkeypatch, *command) == 2
    assert capsys.readouterr().err == (
        "diglot: DIGLOT_BAKEND: there is no such setting. Did you mean DIGLOT_BACKEND?\n"
    )


def test_a_missing_resource_file_is_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, "schema", "diff", "--resources", "nosuch.yaml") == 2
    assert "nosuch.yaml" in capsys.readouterr().err


def test_a_defect_is_one_line_that_says_where(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("at postgresql://me:s3cret@db/x\nand more")

    monkeypatch.setattr(store, "connect", broken)
    assert _run(monkeypatch, "schema", "diff") == 70
    err = capsys.readouterr().err
    assert err.startswith("diglot: diglot has a defect: ZeroDivisionError at test_cli.py:")
    assert err.count("\n") == 1
    assert "s3cret" not in err


def test_an_interrupt_is_exit_code_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "connect", interrupted)
    assert _run(monkeypatch, "schema", "diff") == 130


def test_the_drivers_words_are_those_of_the_first_cause() -> None:
    root = OSError("refused (configured timeouts: 5 s), Topology: x\nand more")
    middle = ValueError("middle")
    middle.__cause__ = root
    error = Unavailable()
    error.__cause__ = middle
    assert explain(error) == ("The database cannot be reached. The driver says: refused", 3)
    assert explain(RepositoryError("Bad.")) == ("Bad.", 3)


def test_without_a_url_only_the_command_line_starts_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIGLOT_POSTGRES_URL")
    with pytest.raises(ConfigurationError, match="DIGLOT_POSTGRES_URL is not set"):
        store.open_repository(load())


@pytest.mark.parametrize("form", ["console", "json"])
def test_the_log_has_one_form_and_no_password(capsys: pytest.CaptureFixture[str], form: str) -> None:
    log.configure("info", form)
    structlog.get_logger("ours").info("connected", url="postgresql://me:s3cret@db/x")
    structlog.get_logger("ours").debug("silent")
    logging.getLogger("theirs").warning("lost %s", "mongodb://me:s3cret@db/x")
    try:
        raise ValueError("mongodb://me:s3cret@db/x")
    except ValueError:
        structlog.get_logger("ours").exception("failed")
    err = capsys.readouterr().err
    assert "s3cret" not in err
    assert err.count("me:***@db") == 4
    assert "silent" not in err
    if form == "json":
        lines = [json.loads(line) for line in err.splitlines()]
        assert [line["event"] for line in lines] == ["connected", "lost mongodb://me:***@db/x", "failed"]
        assert lines[0]["level"] == "info"
        assert lines[0]["logger"] == "ours"


def test_granians_advice_is_dropped_and_its_warnings_are_not() -> None:
    advice = log.no_advice()
    record = logging.LogRecord("_granian", logging.WARNING, "", 0, "spawning up to 8 Python threads", (), None)
    assert not advice.filter(record)
    record.msg = "Killing worker-1"
    assert advice.filter(record)
