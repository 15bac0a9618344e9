"""Where an import reads from: a file, or standard input, which is put aside so that it can be read twice."""

from __future__ import annotations

import shutil
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from service.transfer.csv_records import read_csv
from service.transfer.formats import Format, Malformed, Table, TransferError, format_of
from service.transfer.json_records import read_json, read_ndjson

STANDARD = "-"
_IN_MEMORY = 8 * 2**20
_READERS: dict[Format, Callable[[BinaryIO], Table]] = {
    Format.CSV: read_csv,
    Format.JSON: read_json,
    Format.NDJSON: read_ndjson,
}


class Source:
    """One file to import. `name` is what messages call it."""

    def __init__(self, name: str, file_format: Format | None = None) -> None:
        """Raises `TransferError` where the format cannot be told."""
        self.format = format_of(name, file_format)
        self.name = "standard input" if name == STANDARD else name
        self._path = None if name == STANDARD else Path(name)
        self._kept: BinaryIO | None = None

    @contextmanager
    def table(self) -> Iterator[Table]:
        """The file's records, from its beginning. Raises `TransferError` that names the file."""
        try:
            if self._path is None:
                yield _READERS[self.format](self._standard_input())
            else:
                with self._path.open("rb") as stream:
                    yield _READERS[self.format](stream)
        except Malformed as error:
            raise TransferError(f"{self.name}: {error}") from error
        except OSError as error:
            raise TransferError(f"{self.name}: cannot be read ({error.strerror}).") from error

    def _standard_input(self) -> BinaryIO:
        if self._kept is None:
            kept = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  (it lives as long as the source)
            weakref.finalize(self, kept.close)
            shutil.copyfileobj(sys.stdin.buffer, kept)
            self._kept = cast("BinaryIO", kept)
        self._kept.seek(0)
        return self._kept
