"""Data of an R package without R: the lazy-load data base (``Rdata.rdx``, ``Rdata.rdb``) and what it holds.

The index is a gzip'ed serialised list: place and length of every variable and of every environment that they refer to.
Each place of the base holds four bytes (the length when unpacked) and a zlib stream: one serialised object. Formats:
"R Internals", sections "Serialization Formats" and "Lazy loading". Only what tables are made of is read: lists,
numbers, truth values, text, environments by name; whatever else turns up is refused. numpy only.
"""

import gzip
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np

from experiments.problems.fetching import DataError

FORMAT = b"X\n"
VERSIONS = (2, 3)
HAS_ATTRIBUTES, HAS_TAG = 0x200, 0x400
MISSING_TEXT = -1


class Kind(IntEnum):
    """The types that are read, by the numbers that stand in a stream."""

    SYMBOL = 1
    PAIRS = 2
    CHARACTERS = 9
    LOGICAL = 10
    INTEGER = 13
    REAL = 14
    TEXT = 16
    LIST = 19
    EMPTY_ENVIRONMENT = 242
    ENVIRONMENT = 247
    NIL = 254
    MET_BEFORE = 255


@dataclass(frozen=True)
class Environment:
    """An environment that is stored elsewhere in the base, under this name."""

    name: str


@dataclass(frozen=True)
class RObject:
    """Numbers and truth values as an array, text as a tuple of str, a list as a tuple of objects; with attributes."""

    value: Any
    attributes: Mapping[str, "RObject"] = field(default_factory=dict)

    def __getitem__(self, name: str) -> "RObject":
        """The member of a named list.

        Raises:
            DataError: it has no such member.
        """
        names = self.attributes["names"].value if "names" in self.attributes else ()
        if name not in names:
            raise DataError(f"an R list has no member {name!r} but {', '.join(map(str, names)) or 'none'}")
        member: RObject = self.value[names.index(name)]
        return member


class LazyData:
    """The variables and environments of one data base.

    Raises:
        DataError: an index or an object that is cut off, damaged, or of a kind that is not read here.
    """

    def __init__(self, index: bytes, base: bytes, where: str) -> None:
        self._base = base
        self._where = where
        content = self._unpacked(lambda: gzip.decompress(index))
        places = unserialize(content, f"{where}: index")
        self._variables, self._environments = places["variables"], places["references"]

    def variable(self, name: str) -> RObject:
        """A variable by its name."""
        return self._object(self._variables[name], name)

    def environment(self, reference: RObject) -> RObject:
        """What an object refers to."""
        if not isinstance(reference.value, Environment):
            raise DataError(f"{self._where}: expected an environment, got {type(reference.value).__name__}")
        return self._object(self._environments[reference.value.name], reference.value.name)

    def _object(self, place: RObject, name: str) -> RObject:
        start, length = (int(number) for number in place.value)
        packed = self._base[start : start + length]
        content = self._unpacked(lambda: zlib.decompress(packed[4:]))
        if len(packed) != length or len(content) != int.from_bytes(packed[:4], "big"):
            raise DataError(f"{self._where}: {name} is cut off. Get the file again.")
        return unserialize(content, f"{self._where}: {name}")

    def _unpacked(self, unpack: Callable[[], bytes]) -> bytes:
        try:
            return unpack()
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{self._where}: can not be unpacked ({error}). Get the file again.") from error


def unserialize(content: bytes, where: str) -> RObject:
    """The object of a serialised stream in R's binary (XDR) form.

    Raises:
        DataError: another form or version, a stream that ends early, or a type that is not read here.
    """
    if not content.startswith(FORMAT):
        raise DataError(f"{where}: starts with {content[:2]!r}, R's binary form with {FORMAT!r}. Get the file again.")
    try:
        return _Stream(content, where).whole()
    except (struct.error, ValueError, IndexError) as error:
        raise DataError(f"{where}: the stream is damaged or ends early ({error}). Get the file again.") from error


class _Stream:
    """Reads one object after another; references count the symbols and environments met so far."""

    def __init__(self, content: bytes, where: str) -> None:
        self.content = content
        self.where = where
        self.position = len(FORMAT)
        self.met: list[RObject] = []

    def whole(self) -> RObject:
        version, _, _ = self.integer(), self.integer(), self.integer()
        if version not in VERSIONS:
            raise DataError(f"{self.where}: serialisation version {version}, known are {VERSIONS}")
        if version == VERSIONS[1]:
            self.take(self.integer())  # the name of the native encoding
        return self.object()

    def take(self, length: int) -> bytes:
        if length < 0 or self.position + length > len(self.content):
            raise ValueError(f"{length} bytes wanted at {self.position} of {len(self.content)}")
        self.position += length
        return self.content[self.position - length : self.position]

    def integer(self) -> int:
        return int.from_bytes(self.take(4), "big", signed=True)

    def object(self) -> RObject:
        flags = self.integer()
        match flags & 0xFF:
            case Kind.NIL | Kind.EMPTY_ENVIRONMENT:
                return RObject(None)
            case Kind.MET_BEFORE:
                return self.met[(flags >> 8) - 1]
            case Kind.SYMBOL:
                self.met.append(self.object())
                return self.met[-1]
            case Kind.ENVIRONMENT:
                self.integer()
                (name,) = self.members()
                self.met.append(RObject(Environment(name.value)))
                return self.met[-1]
            case Kind.CHARACTERS:
                length = self.integer()
                return RObject(None if length == MISSING_TEXT else self.take(length).decode())
            case Kind.PAIRS:
                return RObject(None, self.pairs(flags))
            case kind:
                value = self.vector(kind)
        return RObject(value, self.pairs(self.integer()) if flags & HAS_ATTRIBUTES else {})

    def vector(self, kind: int) -> Any:
        match kind:
            case Kind.LOGICAL | Kind.INTEGER:
                return np.frombuffer(self.take(4 * self.integer()), dtype=">i4")
            case Kind.REAL:
                return np.frombuffer(self.take(8 * self.integer()), dtype=">f8")
            case Kind.TEXT:
                return tuple(member.value for member in self.members())
            case Kind.LIST:
                return self.members()
        raise DataError(f"{self.where}: R's type {kind} is not read here")

    def members(self) -> tuple[RObject, ...]:
        return tuple(self.object() for _ in range(self.integer()))

    def pairs(self, flags: int) -> dict[str, RObject]:
        """A chain of named values, of which the first flags have been read."""
        found = {}
        while flags & 0xFF == Kind.PAIRS:
            if flags & HAS_ATTRIBUTES or not flags & HAS_TAG:
                raise DataError(f"{self.where}: a pair with attributes or without a name is not read here")
            name = self.object().value
            found[name] = self.object()
            flags = self.integer()
        if flags & 0xFF != Kind.NIL:
            raise ValueError(f"a chain of pairs ends with type {flags & 0xFF}")
        return found
