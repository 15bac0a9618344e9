"""What differs between the stores' answers to one request, and between what they hold."""

from __future__ import annotations

import json

from tests.prove.worlds import ORACLE, Answer, World


def difference(answers: dict[str, Answer]) -> str | None:
    """What kind of difference there is between the answers; None if there is none, and no answer is a failure."""
    right = answers[ORACLE]
    kinds = []
    for name, answer in answers.items():
        if answer.status >= 500:
            kinds.append(f"{name}: {answer.status} {_code(answer)}")
        elif _code(answer) != _code(right) or answer.status != right.status:
            kinds.append(f"{name}: {answer.status} {_code(answer)} for {right.status} {_code(right)}")
        elif answer.headers != right.headers:
            kinds.append(f"{name}: {sorted({header for header, _ in {*answer.headers} ^ {*right.headers}})}")
        elif answer.body != right.body:
            kinds.append(f"{name}: body of {answer.status} {_code(answer)}")
    return "; ".join(kinds) or None


def unlike(world: World) -> str | None:
    """Which resources the stores hold differently."""
    found = world.everything()
    kinds = [f"{name}: stored records" for name, bodies in found.items() if bodies != found[ORACLE]]
    return "; ".join(kinds) or None


def _code(answer: Answer) -> str:
    if answer.status < 400 or not answer.body.startswith(b"{"):
        return answer.broken
    return str(json.loads(answer.body).get("code"))


def told(answers: dict[str, Answer]) -> str:
    return "\n".join(f"--- {name}\n{answer}" for name, answer in answers.items())
