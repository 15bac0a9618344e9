"""The progress bar of commands that take long: on standard error, and only on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text


def error_console() -> Console:
    """Standard error; lines are not broken, so that they can be searched."""
    return Console(stderr=True, soft_wrap=True, markup=False, highlight=False, emoji=False)


class Bar:
    """A progress bar for one task after another."""

    def __init__(self, shown: Progress) -> None:
        self._shown = shown

    def task(self, what: str, total: int | None = None) -> Callable[[int], None]:
        """Begin a task of `total` records; the answer is told how many more are done."""
        task = self._shown.add_task(what, total=total)
        return lambda count: self._shown.advance(task, count)


@contextmanager
def progress() -> Iterator[Bar]:
    """A progress bar, while the context lasts."""
    console = error_console()
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), _Records(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, speed_estimate_period=5) as shown:
        yield Bar(shown)


class _Records(ProgressColumn):
    """The records done, of how many, and how many a second."""

    def render(self, task: Task) -> Text:
        total = "" if task.total is None else f" of {int(task.total):,}"
        speed = task.finished_speed or task.speed
        rate = "" if speed is None else f", {speed:,.0f}/s"
        return Text(f"{int(task.completed):,}{total}{rate}")
