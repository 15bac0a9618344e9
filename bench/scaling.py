"""How the cost grows: with the number of products, with the number of connections, and along a long answer."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from functools import partial

from bench import templates
from bench.contenders import Contender
from bench.dialects.base import Cannot
from bench.measure import CONNECTIONS, Bench, Started, attempt, started
from bench.results import Grown
from bench.stores.mongodb import grown
from bench.tables import FLOOR, OWN
from bench.templates import Store
from bench.works import LIST, ONE, STREAMED, STREAMS, Keys
from service.demo.shop import Shop

OTHERS = (1, 4, 64, 256)
_DATABASE = "g_shop"
_BASE = 1000
#: Whose throughput is measured at every size; the others only give their long answers.
_GROWING = (OWN, FLOOR)
_ASKED = 2000
_STREAM_ROUNDS = 2
#: Seconds to ask for every key once: who is measured first must not pay for what the database has to read from disk.
_FIRST_READ = 2.0


def sweep(service: Started, seconds: float, connections: Iterable[int] = OTHERS) -> None:
    """Two works on other numbers of connections than the usual one."""
    for work in (ONE, LIST):
        requests = service.checked(work)
        if requests is None:
            continue
        service.warm(requests)
        for number in connections:
            service.bench.results.sweep.append(service.timed(work, requests, seconds, number, 0))


def growth(bench: Bench, store: Store, contenders: Sequence[Contender], sizes: Sequence[int], seconds: float) -> None:
    """Two works on more and more products; the long answers where there are just as many as they hold.

    Only contenders that read the shop as Diglot stores it take part, for all of them read one database.
    """
    taking_part = [contender for contender in contenders if contender.records == "shop"]
    for contender in contenders:
        if contender not in taking_part:
            _refuse_streams(bench, contender)
    templates.load(store, _DATABASE, Shop(_BASE))
    size = _BASE
    try:
        for products in sizes:
            store.grow(_DATABASE, size, products - 1, _BASE)
            size = products
            bench.forget()
            keys = _keys(products)
            for contender in taking_part:
                if contender.name not in _GROWING and products != STREAMED:
                    continue
                bench.say(f"  {contender.name} on {store.backend}, {products:,} products")
                run = partial(_grown, bench, store, contender, keys=keys, products=products, seconds=seconds)
                attempt(bench, contender, run)
    finally:
        store.drop(_DATABASE)


def _grown(bench: Bench, store: Store, contender: Contender, *, keys: Keys, products: int, seconds: float) -> None:
    with started(bench, contender, store, _DATABASE, keys) as service:
        if contender.name in _GROWING:
            for work in (ONE, LIST):
                requests = service.checked(work)
                if requests is None:
                    continue
                service.warm(requests, _FIRST_READ)
                found = service.timed(work, requests, seconds, CONNECTIONS, 0)
                bench.results.growth.append(Grown(**vars(found), products=products))
        if products == STREAMED:
            for work in STREAMS:
                requests = service.checked(work)
                for round_ in range(_STREAM_ROUNDS if requests else 0):
                    bench.results.streams.append(service.streamed(work, requests[0], round_))  # type: ignore[index]


def _refuse_streams(bench: Bench, contender: Contender) -> None:
    for work in STREAMS:
        try:
            contender.dialect.requests(work, Keys([], [], []))
        except Cannot as error:
            bench.results.refuse(contender.name, contender.backend, work.name, str(error))


def _keys(products: int) -> Keys:
    """Keys of products that were added, and the categories that have products."""
    dice = random.Random(products)
    shop = templates.keys(Shop(_BASE))
    return Keys([grown(dice.randrange(_BASE, products)) for _ in range(_ASKED)], shop.categories, [1])
