"""The records of the studio: small enough to be answered by eye, with nulls, ties and records without relations."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from repositories.schema import Value

PEOPLE: list[dict[str, Value]] = [
    {"id": 1, "name": "Ada", "born": date(1950, 1, 1)},
    {"id": 2, "name": "Bo", "born": date(1960, 2, 2), "boss_id": 1},
    {"id": 3, "name": "Cy", "boss_id": 1},
    {"id": 4, "name": "Dee", "born": date(1960, 2, 2), "boss_id": 2},
]
PROFILES: list[dict[str, Value]] = [
    {"person_id": 1, "bio": "first", "facts": {"langs": ["en", "fr"], "age": 70}},
    {"person_id": 3, "facts": {"age": 7.5}},
]
FILMS: list[dict[str, Value]] = [
    {
        "id": 1,
        "title": "Alpha",
        "year": 1999,
        "budget": 100,
        "score": 7.5,
        "rating": Decimal("8.10"),
        "seen": True,
        "opened": date(1999, 5, 1),
        "added": datetime(2026, 1, 31, 9, 30, 0, 120000, tzinfo=UTC),
        "tags": ["new", "old"],
        "extra": {"a": 1, "n": {"list": [1, "x", None]}},
        "director_id": 1,
        "writer_id": 2,
    },
    {
        "id": 2,
        "title": "Beta",
        "year": 2001,
        "budget": 50,
        "score": 0.1,
        "rating": Decimal("8.05"),
        "seen": False,
        "tags": [],
        "extra": {"a": "1"},
        "director_id": 1,
        "writer_id": 1,
    },
    {"id": 3, "title": "Gamma", "year": 1999, "score": 0.2, "seen": True, "director_id": 2, "extra": [1, {"a": 2}]},
    {"id": 4, "title": "Delta", "year": 2001, "budget": 25, "rating": Decimal("0.00"), "writer_id": 4, "extra": "s"},
    {"id": 5, "title": "Epsilon"},
]
SCENES: list[dict[str, Value]] = [
    {"film_id": 1, "number": 1, "place": "hall", "minutes": 5},
    {"film_id": 1, "number": 2, "place": "roof", "minutes": 3},
    {"film_id": 1, "number": 3, "minutes": 5},
    {"film_id": 2, "number": 1, "place": "hall"},
    {"film_id": 3, "number": 1, "place": "sea", "minutes": 9},
]
TAKES: list[dict[str, Value]] = [
    {"id": 1, "film_id": 1, "scene": 1, "seconds": Decimal("1.500")},
    {"id": 2, "film_id": 1, "scene": 1, "seconds": Decimal("2.250")},
    {"id": 3, "film_id": 1, "scene": 2},
    {"id": 4, "film_id": 2, "scene": 1, "seconds": Decimal("0.005")},
    {"id": 5, "film_id": 2},
    {"id": 6, "scene": 1, "seconds": Decimal("9.000")},
]
GENRES: list[dict[str, Value]] = [
    {"name": "comedy", "serious": False},
    {"name": "drama", "serious": True},
    {"name": "noir"},
    {"name": "unused", "serious": True},
]
FILM_GENRES: list[dict[str, Value]] = [
    {"film_id": 1, "genre": "drama"},
    {"film_id": 1, "genre": "comedy"},
    {"film_id": 2, "genre": "drama"},
    {"film_id": 4, "genre": "noir"},
]
HALLS: list[dict[str, Value]] = [
    {"id": 1, "name": "Lux", "seats": 90},
    {"id": 2, "seats": 30},
    {"id": 3, "name": "Old"},
]
SCREENINGS: list[dict[str, Value]] = [
    {"hall_id": 1, "film_id": 1, "day": date(2026, 1, 1), "sold": 10},
    {"hall_id": 1, "film_id": 1, "day": date(2026, 1, 2), "sold": 20},
    {"hall_id": 2, "film_id": 1, "day": date(2026, 1, 1)},
    {"hall_id": 1, "film_id": 3, "day": date(2026, 1, 3), "sold": 0},
]
ROLES: list[dict[str, Value]] = [
    {"film_id": 1, "person_id": 3, "part": "king"},
    {"film_id": 1, "person_id": 4, "part": "fool"},
    {"film_id": 2, "person_id": 3},
    {"film_id": 3, "person_id": 1, "part": "king"},
]
STUDIO: dict[str, list[dict[str, Value]]] = {
    "people": PEOPLE,
    "profiles": PROFILES,
    "films": FILMS,
    "scenes": SCENES,
    "takes": TAKES,
    "genres": GENRES,
    "film_genres": FILM_GENRES,
    "halls": HALLS,
    "screenings": SCREENINGS,
    "roles": ROLES,
}
