"""How late a busy machine may be: what is to happen at once, or by a deadline, is given so much longer."""

from __future__ import annotations

#: Seconds. Far above any pause of the interpreter or of the machine, far below what a hang takes.
PAUSE = 5.0
