"""Known-bad builds: mistakes that are planted on purpose, each of which the differential check must find.

A mutant is a patch of the real code of a backend, or of the service over one store; there is no switch for it in the
code itself. A check that finds no mistake is none.
"""

from __future__ import annotations

import time
from contextlib import ExitStack

from tests.prove.mutants import mongodb, postgres, shared
from tests.prove.mutants.hunting import Caught, Hunter
from tests.prove.mutants.planting import Mutant
from tests.prove.parts import Outcome, Part
from tests.prove.studies import running

MUTANTS = (*postgres.MUTANTS, *mongodb.MUTANTS, *shared.MUTANTS)
#: How long one mutant is looked for at the least.
SECONDS = 20.0


def run(seconds: float, seed: int) -> Outcome:
    """Plant one mutant after the other until the time is over; one that is not caught is a difference."""
    outcome, until = Outcome(), time.monotonic() + seconds
    figures = dict.fromkeys(("cases", "mutants planted", "mutants caught"), 0.0)
    with ExitStack() as stack:
        hunter = Hunter(*running(stack), stack)
        for mutant in MUTANTS:
            if time.monotonic() > until:
                break
            figures["mutants planted"] += 1
            caught = hunter.hunt(mutant, str(seed), max(SECONDS, seconds / len(MUTANTS)))
            figures["mutants caught"] += caught is not None
            figures["cases"] += 0 if caught is None else caught.cases
            if complaint := wrong(mutant, caught):
                outcome.differences.append(f"{mutant}: {complaint}")
    average = figures["cases"] / max(figures["mutants caught"], 1)
    outcome.figures = {**figures, "cases until caught, on average": average}
    return outcome


def wrong(mutant: Mutant, caught: Caught | None) -> str | None:
    """What is wrong with how a mutant was caught, if anything is."""
    if caught is None:
        return "it was not caught"
    if not caught.kind.startswith(f"{mutant.side}: "):
        return f"another store was blamed: {caught.kind}"
    if not caught.cleared:
        told = "\n".join(map(str, caught.requests))
        return f"the stores differ without it, too: {caught.kind}\n{told}"
    return None


PART = Part("mutants", "Mistakes that are planted are found", run, weight=0.3, split=False)
