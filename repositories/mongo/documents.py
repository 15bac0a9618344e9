"""Records as documents: where each field is kept, its values in BSON, and the way back to the port's Python types.

The primary key is `_id`: its value when it is one field, a sub-document in key order when it is several (the key's
fields are then only there). Every other field is a member under its own name; null is stored as null, and a member
that is missing reads as null. Numbers of another BSON type, written by others, are read as the field's own type;
what cannot be read so is a `SchemaMismatch`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Context, Decimal
from operator import itemgetter
from typing import Any
from uuid import UUID

from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions
from bson.dbref import DBRef
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.objectid import ObjectId

from repositories.encoding import instant_text
from repositories.errors import SchemaMismatch
from repositories.mongo.decimals import EXACT, decimal128, decimal_halves
from repositories.query import Row
from repositories.schema import Field, Kind, Resource, Type, Value

#: A document, or any part of a command.
BSON = dict[str, Any]
Writer = Callable[[Value], Any]
Reader = Callable[[Any], Value]
#: From documents to rows.
Decode = Callable[[Sequence[BSON]], list[Row]]

#: Instants are read without a zone, and given UTC here: the driver has a zone object of its own.
CODEC: CodecOptions[BSON] = CodecOptions(uuid_representation=UuidRepresentation.STANDARD)

#: For any Decimal128 in positional notation.
_WIDE = Context(prec=7000)


def path(resource: Resource, field: Field) -> str:
    """Where the field is in the resource's documents, in MongoDB's dotted notation."""
    if field.name not in resource.primary_key:
        return field.name
    return "_id" if len(resource.primary_key) == 1 else f"_id.{field.name}"


def place(embed: int) -> str:
    """The member that holds the list of an embed's records, once they have been looked up."""
    return f"~{embed}"


def identifier(resource: Resource, values: Mapping[str, Any]) -> Any:
    """The `_id` of the record whose key fields have these BSON values, by field name."""
    if len(resource.primary_key) == 1:
        return values[resource.primary_key[0]]
    return {name: values[name] for name in resource.primary_key}


def key_writer(resource: Resource) -> Callable[[Row], Any]:
    """A function that makes the `_id` of a primary key's values."""
    writers = [writer(field.type) for field in resource.key]
    if len(writers) == 1:
        [write] = writers
        return lambda key: write(key[0])
    members = list(zip(resource.primary_key, writers, strict=True))
    return lambda key: {name: write(value) for (name, write), value in zip(members, key, strict=True)}


def document(resource: Resource, values: Mapping[str, Any]) -> BSON:
    """The document of a record with these BSON values, by field name; null where there is none."""
    result: BSON = {"_id": identifier(resource, values)}
    for name in resource.fields:
        if name not in resource.primary_key:
            result[name] = values.get(name)
    return result


def writer(kind: Type) -> Writer:
    """What turns a value of this type, null included, into BSON."""
    write = _writer(kind)
    return lambda value: None if value is None else write(value)


def _writer(kind: Type) -> Writer:
    if kind.kind is Kind.ARRAY:
        assert kind.items is not None
        item = _writer(kind.items)
        return lambda values: [item(value) for value in values]
    return _WRITERS.get(kind.kind, _unchanged)


def _unchanged(value: Value) -> Value:
    return value


def _canonical(value: Any) -> Any:
    """Free JSON with every object's keys in `jsonb`'s order, so that equal values are equal documents."""
    kind = type(value)
    if kind is dict:
        keys = sorted(value, key=_key_order) if len(value) > 1 else value
        return {key: _canonical(value[key]) for key in keys}
    return [_canonical(item) for item in value] if kind is list else value


def _key_order(key: str) -> tuple[int, str]:
    return len(key) if key.isascii() else len(key.encode()), key


_WRITERS: dict[Kind, Writer] = {
    Kind.DATE: lambda value: datetime.combine(value, time(), UTC),
    Kind.DOUBLE: float,
    Kind.DECIMAL: decimal128,
    Kind.JSON: _canonical,
}


#: Kinds whose values are BSON already.
unchanged_kinds = frozenset(Kind) - {Kind.ARRAY, *_WRITERS}


def decoder(resource: Resource, fields: Sequence[Field]) -> Callable[[Sequence[BSON]], list[Row]]:
    """A function that reads these fields of documents of the resource.

    It goes column by column, since most columns need no more than a glance at their types, which is made in C.
    """
    columns = [column_reader(resource, field) for field in fields]

    def decode(documents: Sequence[BSON]) -> list[Row]:
        if not columns:
            return [()] * len(documents)
        return list(zip(*(read(documents) for read in columns), strict=True))

    return decode


def column_reader(resource: Resource, field: Field) -> Callable[[Sequence[BSON]], list[Any]]:
    """A function that reads one field's values of documents of the resource."""
    get = column_getter(path(resource, field))
    native, convert = value_reader(field.type)

    def read(documents: Sequence[BSON]) -> list[Any]:
        try:
            column = get(documents)
            if not native.issuperset(map(type, column)):
                column = [None if value is None else convert(value) for value in column]
        except (LookupError, ValueError, TypeError, ArithmeticError) as error:
            raise SchemaMismatch(
                f'A stored value of the field "{field.name}" of "{resource.name}" is not of its type.',
                resource=resource.name,
                fields=(field.name,),
            ) from error
        return column

    return read


def column_getter(where: str) -> Callable[[Sequence[BSON]], list[Any]]:
    """A function that takes the member at a path out of documents."""
    name, _, member = where.partition(".")
    get = itemgetter(name)
    if member:
        get_member = itemgetter(member)
        return lambda documents: list(map(get_member, map(get, documents)))

    def column(documents: Sequence[BSON]) -> list[Any]:
        try:
            return list(map(get, documents))
        except KeyError:
            return [each.get(name) for each in documents]

    return column


def value_reader(kind: Type) -> tuple[frozenset[type], Reader]:
    """The types that need no conversion, and the conversion, which is never given null."""
    if kind.kind is Kind.ARRAY:
        assert kind.items is not None
        return frozenset((type(None),)), _array_reader(kind.items)
    if kind.kind is Kind.DECIMAL:
        return frozenset((type(None),)), _unscaled if kind.scale is None else _decimal_reader(kind.scale)
    native, convert = _READERS[kind.kind]
    return frozenset((type(None), *native)), convert


def _array_reader(items: Type) -> Reader:
    native, convert = value_reader(items)
    native -= {type(None)}

    def read(found: Any) -> list[Value]:
        if type(found) is not list:
            raise TypeError(type(found))
        return found if native.issuperset(map(type, found)) else [convert(item) for item in found]

    return read


def _decimal_reader(scale: int) -> Reader:
    exponent = Decimal(1).scaleb(-scale, EXACT)

    def read(found: Any) -> Decimal:
        if type(found) is Decimal128:
            coefficient, power = decimal_halves(found.bid)
            if power == -scale:
                return Decimal(coefficient).scaleb(-scale, EXACT)
        number = Decimal(repr(found)) if type(found) is float else Decimal(_number(found))
        if not number.is_finite():
            raise ValueError(found)
        return number.quantize(exponent, ROUND_HALF_UP, EXACT)

    return read


def _unscaled(found: Any) -> Decimal:
    """A decimal that a query has made, with the digits it came with."""
    number = Decimal(_number(found))
    exponent = number.as_tuple().exponent
    return number.quantize(Decimal(1), context=_WIDE) if isinstance(exponent, int) and exponent > 0 else number


def _number(found: Any) -> Any:
    if type(found) is Decimal128:
        return found.to_decimal()
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        raise TypeError(type(found))
    return found


def _integer(found: Any) -> int:
    number = _number(found)
    if number != int(number) or not -(2**63) <= number < 2**63:
        raise ValueError(found)
    return int(number)


def _double(found: Any) -> float:
    number = float(_number(found))
    if not math.isfinite(number):
        raise ValueError(found)
    return number


def _date(found: Any) -> date:
    return _refuse(found) if type(found) is not datetime else found.date()


def _instant(found: Any) -> datetime:
    return _refuse(found) if type(found) is not datetime else found.replace(tzinfo=UTC)


def _refuse(found: Any) -> Any:
    raise TypeError(type(found))


def _plain_json(found: Any) -> Value:
    """Free JSON in Python's own types; BSON types that JSON lacks, written by others, as their text."""
    kind = type(found)
    if kind in (str, bool, int, type(None)):
        return found
    if isinstance(found, DBRef):  # any sub-document with $ref and $id comes back as one
        found = found.as_doc()
    if isinstance(found, dict):
        return {key: _plain_json(value) for key, value in found.items()}
    if kind is list:
        return [_plain_json(item) for item in found]
    if kind is Int64:
        return int(found)
    if kind in (float, Decimal128):
        return _double(found)
    if kind is datetime:
        return instant_text(_instant(found))
    return str(found) if kind in (UUID, ObjectId) else _refuse(found)


_READERS: dict[Kind, tuple[Iterable[type], Reader]] = {
    Kind.STRING: ((str,), _refuse),
    Kind.UUID: ((UUID,), _refuse),
    Kind.DATE: ((), _date),
    Kind.DATETIME: ((), _instant),
    Kind.INT32: ((int,), _integer),
    Kind.INT64: ((int,), _integer),
    Kind.DOUBLE: ((), _double),
    Kind.BOOLEAN: ((bool,), _refuse),
    Kind.JSON: ((str, bool, int), _plain_json),
}
