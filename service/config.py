"""The configuration: every `DIGLOT_` variable, its default and what it means, validated at once."""

from __future__ import annotations

import difflib
import os
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from annotated_types import Ge, Le
from dotenv import dotenv_values
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from repositories.base import Limits

PREFIX = "DIGLOT_"
ENV_FILE = ".env"


class ConfigurationError(Exception):
    """Variables that cannot be used: `str()` is one line for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _default_workers() -> int:
    return min(2, os.cpu_count() or 1)


def _default_threads(settings: dict[str, Any]) -> int:
    """More would wait for Python's lock; fewer would leave the database waiting, which does more of the work itself in
    PostgreSQL than in MongoDB. Measured by `python -m bench.workers`.
    """
    return 6 if settings.get("backend") == "mongodb" else 4


def _postgres_url(url: SecretStr) -> SecretStr:
    return _with_scheme(url, "postgresql://", "postgres://")


def _mongodb_url(url: SecretStr) -> SecretStr:
    return _with_scheme(url, "mongodb://", "mongodb+srv://")


def _with_scheme(url: SecretStr, *schemes: str) -> SecretStr:
    if not url.get_secret_value().startswith(schemes):
        raise ValueError("it has another scheme")
    return url


class Settings(BaseSettings):
    """The effective configuration. Arguments win over the environment, which wins over `.env`, then the defaults."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=ENV_FILE,
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",  # unknown variables are found by `load`, in the environment as well as in the file
        frozen=True,
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    backend: Literal["postgres", "mongodb"] = Field("postgres", description="The store of all resources.")
    postgres_url: Annotated[SecretStr, AfterValidator(_postgres_url)] | None = Field(
        None,
        description="PostgreSQL to connect to; without it, an embedded server starts.",
        json_schema_extra={"allowed": "a URL such as postgresql://user:password@host:5432/database"},
    )
    mongodb_url: Annotated[SecretStr, AfterValidator(_mongodb_url)] | None = Field(
        None,
        description="MongoDB (a replica set) to connect to; without it, an embedded server starts.",
        json_schema_extra={"allowed": "a URL such as mongodb://user:password@host:27017/database"},
    )
    resources: Path = Field(Path("resources.yaml"), description="The resource file.")
    data_dir: Path = Field(Path(".diglot"), description="Where embedded servers keep their data.")
    embedded_memory: int = Field(
        256, ge=64, le=65_536, description="The embedded server's cache, in MiB (MongoDB takes at least 256)."
    )

    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8000, ge=0, le=65_535, description="The port to listen on; 0 picks a free one.")
    workers: int = Field(
        default_factory=_default_workers,
        ge=1,
        le=256,
        description="Worker processes.",
        json_schema_extra={"default": "one per core, at most 2"},
    )
    threads: int = Field(
        default_factory=_default_threads,
        ge=1,
        le=256,
        description="Threads of each worker: requests that it works on at a time.",
        json_schema_extra={"default": "4 on PostgreSQL, 6 on MongoDB"},
    )
    shutdown_timeout: int = Field(
        30, ge=1, le=3600, description="Seconds that requests in flight have to finish when the service stops."
    )

    api_prefix: str = Field(
        "/api",
        pattern=r"^(/|(/[A-Za-z0-9._~-]+)+)$",
        description="The path under which the resources are served.",
        json_schema_extra={"allowed": "a path such as /api or /v1/data, without a slash at its end"},
    )
    return_default: Literal["representation", "minimal"] = Field(
        "representation",
        validation_alias="DIGLOT_RETURN",
        description="What a write answers with unless the request says so (`Prefer: return=`).",
    )
    unfiltered_writes: bool = Field(False, description="Allow PATCH and DELETE on a collection without a filter.")
    require_conditions: bool = Field(
        False, description="Refuse changes of records without `If-Match` or `If-None-Match` (428)."
    )
    require_idempotency_key: bool = Field(False, description="Refuse writes without an `Idempotency-Key` (400).")
    idempotency_expiry: int = Field(
        86_400, ge=1, le=31_536_000, description="Seconds for which the answer to an `Idempotency-Key` is kept."
    )
    plan_enabled: bool = Field(False, description="Show the native statement and its plan to clients that ask.")
    record_shapes: Path | None = Field(
        None,
        description="Count the shapes of reads, without values, in files of this folder, for `diglot schema advise`.",
    )

    csv_guard: bool = Field(
        True, description="Put an apostrophe before CSV cells that a spreadsheet would take for a formula."
    )

    max_rows: int = Field(1000, ge=1, le=1_000_000, description="Records in one page; longer pages are cut off.")
    max_stream_rows: int = Field(
        100_000_000, ge=1, le=1_000_000_000_000, description="Records in one answer of CSV or NDJSON, likewise."
    )
    max_body: int = Field(1_048_576, ge=1024, le=1 << 30, description="Bytes in a request's body.")
    body_timeout: float = Field(
        30.0, ge=0.1, le=3600, description="Seconds in which a request's body has to arrive, for each MiB of it."
    )
    max_insert_rows: int = Field(100_000, ge=1, le=10_000_000, description="Records in one insert.")
    max_operations: int = Field(100, ge=1, le=10_000, description="Operations in one batch.")
    max_filters: int = Field(100, ge=1, le=10_000, description="Conditions in one request.")
    max_depth: int = Field(10, ge=1, le=100, description="How deep and=() and or=() may be nested.")
    max_embeds: int = Field(20, ge=0, le=1000, description="Embedded resources in one request.")
    max_embed_depth: int = Field(5, ge=0, le=50, description="How deep embedded resources may be nested.")
    aggregates: bool = Field(True, description="Allow aggregate functions in `select`.")
    max_url: int = Field(32_768, ge=1024, le=65_534, description="Bytes in a request's URL.")

    statement_timeout: float = Field(10.0, ge=0.1, le=3600, description="Seconds for one statement in the database.")
    transaction_timeout: float = Field(
        30.0, ge=0.1, le=3600, description="Seconds for all statements of one request's transaction."
    )
    pool_timeout: float = Field(5.0, ge=0.1, le=3600, description="Seconds to wait for a free database connection.")
    connect_timeout: float = Field(5.0, ge=0.1, le=3600, description="Seconds to wait for the database to connect.")
    pool_size: int = Field(8, ge=1, le=1000, description="Database connections of each worker.")
    schema_mode: Literal["check", "apply", "ignore"] = Field(
        "check",
        validation_alias="DIGLOT_SCHEMA",
        description="When the database lacks what the resource file declares: refuse to start, add it, or start.",
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least level to log.")
    log_format: Literal["console", "json"] = Field("console", description="How log lines are written.")

    @property
    def database_url(self) -> SecretStr | None:
        """The URL of the chosen backend; None when its embedded server is to be used."""
        url: SecretStr | None = getattr(self, f"{self.backend}_url")
        return url

    @property
    def limits(self) -> Limits:
        """What a store may take."""
        return Limits(
            self.statement_timeout, self.pool_timeout, self.connect_timeout, self.pool_size, self.transaction_timeout
        )


class Variable(NamedTuple):
    """One variable, for people: its name, what it may hold, its default, its meaning, and the setting's name."""

    name: str
    allowed: str
    default: str
    description: str
    setting: str


def load(**overrides: object) -> Settings:
    """The settings; arguments that are None count as not given. Raises `ConfigurationError` with all that is wrong."""
    given = {name: value for name, value in overrides.items() if value is not None}
    problems = _unknown()
    try:
        settings = Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        # Pydantic also reads a field with an alias by its own name, which is none of the known variables.
        places = {detail["loc"][0] for detail in error.errors(include_input=False)}
        problems += [problem for place in places if (problem := _problem(str(place), given))]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError([f"{ENV_FILE}: it cannot be read ({error})."]) from error
    if problems:
        raise ConfigurationError(sorted(problems))
    return settings


def variables() -> Iterator[Variable]:
    """Every variable, in the order of the documentation."""
    for setting, field in Settings.model_fields.items():
        yield Variable(_name(setting), _allowed(field), _default(field), field.description or "", setting)


def masked(settings: Settings) -> dict[str, str]:
    """The effective values by variable, fit to be shown: of a secret, no more than that it is set."""
    values = {}
    for variable in variables():
        value = getattr(settings, variable.setting)
        values[variable.name] = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return values


def _name(setting: str) -> str:
    alias = Settings.model_fields[setting].validation_alias
    return alias if isinstance(alias, str) else PREFIX + setting.upper()


def _given() -> dict[str, str]:
    """The variables of this service as given, in `.env` and in the environment, by their upper-case names."""
    try:
        values = {**dotenv_values(ENV_FILE, encoding="utf-8"), **os.environ}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError([f"{ENV_FILE}: it cannot be read ({error})."]) from error
    return {name.upper(): value or "" for name, value in values.items() if name.upper().startswith(PREFIX)}


def _unknown() -> list[str]:
    known = [variable.name for variable in variables()]
    problems = []
    for name in sorted(_given().keys() - set(known)):
        close = difflib.get_close_matches(name.removeprefix(PREFIX), [name.removeprefix(PREFIX) for name in known], n=1)
        hint = f"Did you mean {PREFIX}{close[0]}?" if close else "`diglot config` lists those there are."
        problems.append(f"{name}: there is no such setting. {hint}")
    return problems


def _problem(place: str, arguments: dict[str, object]) -> str | None:
    """One line on one variable: its name, the value given (unless secret) and what is allowed."""
    setting = next(s for s in Settings.model_fields if place.lower() in {s, _name(s).lower()})
    name, field = _name(setting), Settings.model_fields[setting]
    value = arguments.get(setting, _given().get(name))
    if value is None:
        return None
    shown = "the value given" if _secret(field) else repr(str(value))
    return f"{name}: {shown} is not allowed; give {_allowed(field)}."


def _secret(field: FieldInfo) -> bool:
    return "SecretStr" in str(field.annotation)


def _allowed(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    if isinstance(extra, dict) and "allowed" in extra:
        return str(extra["allowed"])
    kind: Any = field.annotation
    if get_origin(kind) in {Union, types.UnionType}:
        kind = get_args(kind)[0]
    if get_origin(kind) is Literal:
        *most, last = get_args(kind)
        return f"{', '.join(most)} or {last}"
    if kind in {int, float}:
        low = next(bound.ge for bound in field.metadata if isinstance(bound, Ge))
        high = next(bound.le for bound in field.metadata if isinstance(bound, Le))
        return f"a {'whole ' if kind is int else ''}number from {low} to {high}"
    return {bool: "true or false", Path: "a path"}.get(kind, "text")


def _default(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    if isinstance(extra, dict) and "default" in extra:
        return str(extra["default"])
    if field.default is None:
        return ""
    return str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
