"""The configuration: where values come from, what is refused and in which words, and that secrets stay secret."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from bench.contenders import THREADS
from repositories.base import Limits
from repositories.connect import BACKENDS
from service.config import ConfigurationError, Settings, load, masked, variables

SECRET = "s3cr3t-word"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.upper().startswith("DIGLOT_"):
            monkeypatch.delenv(name)


def _problems(**overrides: object) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        load(**overrides)
    return raised.value.problems


def test_the_defaults_serve_without_any_variable() -> None:
    settings = load()
    assert settings.backend == "postgres"
    assert settings.database_url is None
    assert settings.resources == Path("resources.yaml")
    assert settings.limits == Limits()
    assert 1 <= settings.workers <= 2


def test_arguments_win_over_the_environment_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("DIGLOT_PORT=1\nDIGLOT_THREADS=2\nDIGLOT_WORKERS=3\nOTHER=x\n")
    monkeypatch.setenv("DIGLOT_THREADS", "4")
    monkeypatch.setenv("DIGLOT_WORKERS", "5")
    settings = load(workers=6, port=None)
    assert (settings.port, settings.threads, settings.workers) == (1, 4, 6)


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGLOT_POSTGRES_URL", "")
    monkeypatch.setenv("DIGLOT_PORT", "")
    assert load().database_url is None
    assert load().port == 8000


def test_every_variable_is_read_by_its_documented_name(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = {
        "DIGLOT_BACKEND": "mongodb",
        "DIGLOT_POSTGRES_URL": "postgres://h/d",
        "DIGLOT_MONGODB_URL": "mongodb+srv://h/d",
        "DIGLOT_HOST": "::1",
        "DIGLOT_API_PREFIX": "/v1/data",
        "DIGLOT_RETURN": "minimal",
        "DIGLOT_SCHEMA": "apply",
        "DIGLOT_LOG_LEVEL": "debug",
        "DIGLOT_LOG_FORMAT": "json",
        "DIGLOT_WORKERS": "7",
    }
    for variable in variables():
        default = variable.default
        number = re.search(r"number from (\S+) to", variable.allowed)
        switched = {"false": "true", "true": "false"}.get(default)
        other = switched or (number[1] if number else f"{default}x")
        monkeypatch.setenv(variable.name, samples.get(variable.name, other))
    changed, plain = load(), Settings.model_construct()
    for variable in variables():
        assert getattr(changed, variable.setting) != getattr(plain, variable.setting), variable.name
        assert variable.description
        assert variable.allowed


def test_each_store_has_its_threads() -> None:
    """As they were measured to be best, and as the benchmark has them."""
    [told] = [variable.default for variable in variables() if variable.setting == "threads"]
    assert {backend: load(backend=backend).threads for backend in THREADS} == THREADS
    assert told == f"{THREADS['postgres']} on PostgreSQL, {THREADS['mongodb']} on MongoDB"


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("BACKEND", "mysql", "postgres or mongodb"),
        ("PORT", "70000", "a whole number from 0 to 65535"),
        ("PORT", "80x", "a whole number from 0 to 65535"),
        ("PORT", "1.5", "a whole number from 0 to 65535"),
        ("STATEMENT_TIMEOUT", "0", "a number from 0.1 to 3600"),
        ("STATEMENT_TIMEOUT", "nan", "a number from 0.1 to 3600"),
        ("UNFILTERED_WRITES", "perhaps", "true or false"),
        ("RETURN", "all", "representation or minimal"),
        ("SCHEMA", "drop", "check, apply or ignore"),
        ("API_PREFIX", "api", "a path such as /api"),
        ("API_PREFIX", "/api/", "a path such as /api"),
    ],
)
def test_a_bad_value_is_one_line(monkeypatch: pytest.MonkeyPatch, name: str, value: str, allowed: str) -> None:
    monkeypatch.setenv(f"DIGLOT_{name}", value)
    (problem,) = _problems()
    assert problem.startswith(f"DIGLOT_{name}: '{value}' is not allowed; give {allowed}")
    assert "\n" not in problem


def test_every_problem_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGLOT_PORT", "-1")
    monkeypatch.setenv("DIGLOT_THREADS", "0")
    Path(".env").write_text("DIGLOT_BAKEND=mongodb\n")
    named = [problem.partition(":")[0] for problem in _problems(workers=0)]
    assert named == ["DIGLOT_BAKEND", "DIGLOT_PORT", "DIGLOT_THREADS", "DIGLOT_WORKERS"]


def test_a_bad_argument_shows_its_value() -> None:
    assert _problems(port=99999) == ["DIGLOT_PORT: '99999' is not allowed; give a whole number from 0 to 65535."]
    assert _problems(workers=0) == ["DIGLOT_WORKERS: '0' is not allowed; give a whole number from 1 to 256."]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("DIGLOT_POSTGRES_URI", "DIGLOT_POSTGRES_URL"),
        ("DIGLOT_MAX_ROW", "DIGLOT_MAX_ROWS"),
        ("DIGLOT_SCHEMA_MODE", "DIGLOT_SCHEMA"),
        ("DIGLOT_RETURN_DEFAULT", "DIGLOT_RETURN"),
        ("DIGLOT_XYZZY", "diglot config"),
    ],
)
@pytest.mark.parametrize("in_file", [False, True])
def test_a_misspelt_variable_is_an_error(monkeypatch: pytest.MonkeyPatch, name: str, hint: str, in_file: bool) -> None:
    if in_file:
        Path(".env").write_text(f"{name}={SECRET}\n")
    else:
        monkeypatch.setenv(name, SECRET)
    (problem,) = _problems()
    assert problem.startswith(f"{name}: there is no such setting. ")
    assert hint in problem
    assert SECRET not in problem


@pytest.mark.parametrize("backend", BACKENDS)
def test_secrets_stay_secret(monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    name = f"DIGLOT_{backend.upper()}_URL"
    scheme = {"postgres": "postgresql", "mongodb": "mongodb"}[backend]
    monkeypatch.setenv(name, f"{scheme}://me:{SECRET}@db/x")
    settings = load(backend=backend)
    assert settings.database_url is not None
    assert SECRET in settings.database_url.get_secret_value()
    for shown in (repr(settings), str(settings), str(settings.model_dump()), settings.model_dump_json()):
        assert SECRET not in shown
    assert masked(settings)[name] == "**********"

    monkeypatch.setenv(name, f"mysql://me:{SECRET}@db/x")
    with pytest.raises(ConfigurationError) as raised:
        load()
    assert raised.value.problems[0].startswith(f"{name}: the value given is not allowed; give a URL such as {scheme}")
    chain: BaseException | None = raised.value
    while chain is not None:
        assert SECRET not in str(chain)
        chain = chain.__cause__ or chain.__context__


def test_a_file_that_cannot_be_read_is_one_line() -> None:
    Path(".env").write_bytes(b"DIGLOT_PORT=\xff\xfe\n")
    (problem,) = _problems()
    assert problem.startswith(".env: ")


def test_the_chosen_backend_is_one_that_there_is() -> None:
    allowed = next(variable.allowed for variable in variables() if variable.name == "DIGLOT_BACKEND")
    assert allowed == " or ".join(BACKENDS)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        setattr(load(), "port", 1)  # noqa: B010
