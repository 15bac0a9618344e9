"""`diglot import` and `diglot export`: their arguments, what they print, what they leave behind, their exit codes."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from repositories.errors import Unavailable
from repositories.schema import Catalog
from service import cli, store
from tests.oracle import OracleRepository

RESOURCES = """
resources:
  people:
    primaryKey: id
    required: [name]
    properties:
      id: {type: integer, generated: sequence}
      name: {type: string}
      boss_id: {references: {resource: people, name: boss}}
  pets:
    primaryKey: id
    properties:
      id: {type: integer}
      owner_id: {references: people}
"""
Run = Callable[..., int]


class Memory(OracleRepository):
    """The store in memory, as the commands open it."""

    def ping(self) -> None:
        if "down" in self.state:
            raise Unavailable


class Database:
    """Keeps the state between the commands, each of which opens and closes its repository."""

    def __init__(self) -> None:
        self.repository: Memory | None = None
        self.down = False

    def connect(self, _backend: str, _url: str, catalog: Catalog, *_: object) -> Memory:
        opened = Memory(catalog)
        if self.repository is not None:
            opened.state = self.repository.state
        if self.down:
            opened.state["down"] = []
        self.repository = opened
        return opened

    def rows(self, name: str) -> list[list[Any]]:
        assert self.repository is not None
        return [list(record.values()) for record in self.repository.state[name]]


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Database:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("DIGLOT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DIGLOT_POSTGRES_URL", "postgresql://db/x")
    Path("resources.yaml").write_text(RESOURCES)
    database = Database()
    monkeypatch.setattr(store, "connect", database.connect)
    return database


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, database: Database) -> Run:
    def run(*arguments: str, given: bytes = b"") -> int:
        monkeypatch.setattr(sys, "argv", ["diglot", *arguments])
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(given)))
        with pytest.raises(SystemExit) as raised:
            cli.main()
        return raised.value.code if isinstance(raised.value.code, int) else 0

    return run


def test_a_file_goes_in_and_out(run: Run, database: Database, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    Path("x.csv").write_text("id,name,boss_id\n2,b,1\n1,a,\n")
    assert run("import", "people", "x.csv") == 0
    assert database.rows("people") == [[2, "b", 1], [1, "a", None]]
    assert capfdbinary.readouterr().err.startswith(b"Imported 2 records into people (")
    assert run("export", "people") == 0
    assert capfdbinary.readouterr() == (
        b'{"id":1,"name":"a","boss_id":null}\n{"id":2,"name":"b","boss_id":1}\n',
        b"",
    )
    assert run("export", "people", "-o", "y.json") == 0
    assert run("export", "people", "-o", "y.csv", "-f", "ndjson") == 0
    assert Path("y.json").read_text().startswith("[\n{")
    assert Path("y.csv").read_text().startswith("{")
    assert {path.name for path in Path().iterdir()} == {"resources.yaml", "x.csv", "y.json", "y.csv"}


def test_standard_input(run: Run, database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("import", "people", "-", "--format", "csv", given=b"name\na\n") == 0
    assert database.rows("people") == [[1, "a", None]]
    assert run("import", "people", "-", given=b"name\na\n") == 5
    assert "give --format" in capsys.readouterr().err


def test_a_folder_is_imported_in_the_order_of_its_references(run: Run, database: Database) -> None:
    folder = Path("folder")
    folder.mkdir()
    (folder / "README.md").write_text("not data")
    (folder / "a-pets.txt").write_text("not data")
    (folder / "people.ndjson").write_text('{"id": 7, "name": "a"}\n')
    (folder / "pets.csv").write_text("id,owner_id\n1,7\n")
    assert run("import", "--all", str(folder)) == 0
    assert (database.rows("people"), database.rows("pets")) == ([[7, "a", None]], [[1, 7]])


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"people.csv": "name\na\n", "pets.csv": "id\nx\n"}, "pets.csv: 1 fault found; nothing was written."),
        ({"people.csv": "name\na\n", "nobody.csv": "id\n1\n"}, "nobody.csv: there is no resource nobody."),
        ({"people.csv": "name\na\n", "people.json": "[]"}, "people.json: people is in people.csv already."),
        ({}, "holds no file with one of the suffixes .csv, .json, .ndjson."),
    ],
)
def test_a_folder_with_a_fault_leaves_all_as_it_was(
    run: Run, database: Database, capsys: pytest.CaptureFixture[str], files: dict[str, str], reason: str
) -> None:
    folder = Path("folder")
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_text(content)
    assert run("import", "--all", str(folder)) == 5
    assert reason in capsys.readouterr().err
    assert database.repository is None


def test_faults_are_listed(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    Path("[x].csv").write_text("id,name\n1\nx,\n" + "y,b\n" * 30)
    assert run("import", "people", "[x].csv") == 5
    lines = capsys.readouterr().err.splitlines()
    assert lines[:3] == [
        "[x].csv, line 2: has 1 fields where the header has 2",
        '[x].csv, line 3, column id: invalid input syntax for type bigint: "x" (22P02)',
        '[x].csv, line 3, column name: null value in column "name" of relation "people" violates not-null constraint'
        " (23502)",
    ]
    assert lines[-2:] == ["… and 13 more.", "diglot: [x].csv: 33 faults found; nothing was written."]


def test_what_the_store_refuses_is_told_in_one_line(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    Path("x.csv").write_text("id,name\n1,a\n2,b\n1,c\n")
    assert run("import", "people", "x.csv", "--batch", "2") == 5
    assert capsys.readouterr().err == (
        'diglot: x.csv, line 4: duplicate key value violates unique constraint "people_pkey". Key (id) already '
        "exists. (23505) 2 of 3 records had been written before.\n"
    )


def test_a_store_that_fails_in_between(
    run: Run, database: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise Unavailable

    monkeypatch.setattr(Memory, "write", gone)
    Path("x.csv").write_text("name\na\nb\n")
    assert run("import", "people", "x.csv") == 5
    assert capsys.readouterr().err == (
        "diglot: x.csv, lines 2-3: The database cannot be reached. (PGRST000) 0 of 2 records had been written before; "
        "whether the 2 of this batch were is not known.\n"
    )


def test_a_store_that_is_down(run: Run, database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    database.down = True
    Path("x.csv").write_text("name\na\n")
    assert run("import", "people", "x.csv") == 3
    assert run("export", "people", "-o", "y.csv") == 3
    assert not Path("y.csv").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["import"],
        ["import", "people"],
        ["import", "nobody", "x.csv"],
        ["import", "people", "x.csv", "--all", "."],
        ["import", "--all", ".", "--format", "csv"],
        ["export", "nobody"],
        ["export"],
    ],
)
def test_wrong_usage(run: Run, arguments: list[str]) -> None:
    assert run(*arguments) == 2


@pytest.mark.parametrize("path", ["nowhere.csv", "nowhere/x.csv"])
def test_a_file_that_is_not_there(run: Run, capsys: pytest.CaptureFixture[str], path: str) -> None:
    assert run("import", "people", path) == 5
    assert run("import", "--all", path) == 5
    assert capsys.readouterr().err.count("cannot be read (No such file or directory)") == 2


def test_an_export_that_cannot_be_written(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("export", "people", "-o", "nowhere/x.csv") == 5
    assert "nowhere/x.csv: cannot be written (No such file or directory)." in capsys.readouterr().err
    assert run("export", "people", "-o", "x.txt") == 5


def test_an_export_that_fails_leaves_the_old_file(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        raise Unavailable

    Path("x.csv").write_text("old")
    monkeypatch.setattr(Memory, "stream", gone)
    assert run("export", "people", "-o", "x.csv") == 3
    assert {path.name: path.read_text() for path in Path().glob("*x.csv*")} == {"x.csv": "old"}


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="the system has no such device")
def test_a_device_is_written_to_and_not_replaced(run: Run) -> None:
    assert run("export", "people", "-o", "/dev/null", "-f", "csv") == 0
    assert Path("/dev/null").is_char_device()


def test_an_export_goes_through_a_link(run: Run) -> None:
    Path("real.csv").write_text("old")
    Path("link.csv").symlink_to("real.csv")
    assert run("export", "people", "-o", "link.csv") == 0
    assert Path("link.csv").is_symlink()
    assert Path("real.csv").read_text() == "id,name,boss_id\n"


def test_a_reader_that_has_gone_ends_an_export(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(io.BytesIO):
        def write(self, _: object) -> int:
            raise BrokenPipeError

    with Path("out").open("wb") as file:
        monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=Closed(), fileno=file.fileno, isatty=lambda: False))
        assert run("export", "people", "-f", "csv") == 0


def test_the_example_is_sound(run: Run) -> None:
    example = Path(__file__).parents[2] / "examples" / "chinook" / "resources.yaml"
    assert run("export", "tracks", "--resources", str(example), "-o", "x.csv") == 0
    assert Path("x.csv").read_text() == (
        "id,name,album_id,media_type_id,genre_id,composer,milliseconds,bytes,unit_price\n"
    )


def test_progress_is_shown_on_a_terminal(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    Path("x.csv").write_text("name\na\nb\n")
    assert run("import", "people", "x.csv") == 0
    shown = capsys.readouterr().err
    assert "Checking x.csv" in shown
    assert "2 of 2" in shown
