"""The options that several commands share. Each overrides its environment variable."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from repositories.connect import BACKENDS

BackendName = StrEnum("BackendName", list(BACKENDS))  # type: ignore[misc]

Backend = Annotated[
    BackendName | None,
    typer.Option("--backend", "-b", help="The store.  [DIGLOT_BACKEND]", show_default=False),
]
Resources = Annotated[
    Path | None,
    typer.Option("--resources", "-r", help="The resource file.  [DIGLOT_RESOURCES]", show_default=False),
]
DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Where embedded servers keep their data.  [DIGLOT_DATA_DIR]", show_default=False),
]
