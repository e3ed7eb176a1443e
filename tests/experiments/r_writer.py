"""Writes what `experiments.problems.r_data` reads: R objects as streams, and a data base of them. For tests only."""

import gzip
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

NULL = struct.pack(">i", 254)


def text(value: str | None) -> bytes:
    if value is None:
        return struct.pack(">ii", 9, -1)
    content = value.encode()
    return struct.pack(">ii", 0x40009, len(content)) + content


def strings(values: Sequence[str | None]) -> bytes:
    return struct.pack(">ii", 16, len(values)) + b"".join(map(text, values))


def numbers(values: Any) -> bytes:
    """Real where the values are, else integer."""
    array = np.asarray(values)
    real = array.dtype.kind == "f"
    return struct.pack(">ii", 14 if real else 13, array.size) + array.astype(">f8" if real else ">i4").tobytes()


def environment(name: str) -> bytes:
    return struct.pack(">iii", 247, 0, 1) + text(name)


def pairs(members: Mapping[str, bytes]) -> bytes:
    return b"".join(struct.pack(">ii", 0x402, 1) + text(name) + value for name, value in members.items()) + NULL


def named(members: Mapping[str, bytes]) -> bytes:
    head = struct.pack(">ii", 0x213, len(members)) + b"".join(members.values())
    return head + pairs({"names": strings(list(members))})


def stream(content: bytes, version: int = 3) -> bytes:
    encoding = struct.pack(">i", 5) + b"UTF-8" if version == 3 else b""
    return b"X\n" + struct.pack(">iii", version, 0x40201, 0x30500) + encoding + content


def data_base(variables: Mapping[str, bytes], environments: Mapping[str, bytes]) -> tuple[bytes, bytes]:
    """Index and base."""
    base = b""
    places: list[dict[str, bytes]] = []
    for group in (variables, environments):
        places.append({})
        for name, content in group.items():
            whole = stream(content)
            packed = struct.pack(">I", len(whole)) + zlib.compress(whole)
            places[-1][name] = numbers([len(base), len(packed)])
            base += packed
    index = named({"variables": named(places[0]), "references": named(places[1]), "compressed": numbers([1])})
    return gzip.compress(stream(index)), base
