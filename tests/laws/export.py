"""The table of laws and methods as plain data for the report: `python -m tests.laws.export` writes it."""

import json
from collections.abc import Sequence
from typing import Any

import flatmtl_core
from flatmtl_core.laws import Law
from tests.assertions import Method
from tests.laws.claims import CLAIMS, METHODS
from tests.laws.contradictions import CONTRADICTIONS
from tests.laws.predicates import CHANGES
from tests.strategies import Trial
from tests.trace import ROOT

TARGET = ROOT / "paper_figures" / "expected" / "claims.json"

CLASSES: Sequence[type[Method]] = sorted({type(build(1)) for build in METHODS.values()}, key=lambda cls: cls.__name__)


def public_aggregators() -> list[str]:
    """Classes of the core's public names that promise laws."""
    return sorted(name for name in flatmtl_core.__all__ if hasattr(getattr(flatmtl_core, name), "laws"))


def witness(aggregator: Method, trial: Trial, law: Law) -> dict[str, Any]:
    """The aggregator, its rows, and what the law does to them."""
    found: dict[str, Any] = {"aggregator": repr(aggregator), "rows": trial.rows.tolist()}
    for name in CHANGES.get(law, ()):
        value = getattr(trial, name)
        found[name] = value.tolist() if hasattr(value, "tolist") else value
    if getattr(aggregator, "draws", not hasattr(aggregator, "weighting")):
        found["seed"] = trial.seed
    return found


def cell(cls: type[Method], law: Law) -> dict[str, Any]:
    """One method and one law."""
    if law in cls.laws:
        verdict, condition, shown = "holds", None, None
    else:
        claim = CLAIMS[cls, law]
        verdict = "holds if" if claim.conditional else "fails"
        condition, shown = claim.when or None, witness(claim.aggregator, claim.trial, law)
    return {"method": cls.__name__, "law": law.name, "verdict": verdict, "condition": condition, "witness": shown}


def table() -> dict[str, Any]:
    """Every cell, the meanings of the laws, and the contradictions."""
    return {
        "laws": {law.name: law.value for law in Law},
        "methods": [cls.__name__ for cls in CLASSES],
        "cells": [cell(cls, law) for cls in CLASSES for law in Law],
        "contradictions": [
            {
                "method": type(one.aggregator).__name__,
                "law": one.law.name,
                "expected": one.surveyed,
                "found": one.found,
                "witness": witness(one.aggregator, one.trial, one.law),
            }
            for one in CONTRADICTIONS
        ],
    }


def text() -> str:
    """Strict JSON with sorted keys."""
    return json.dumps(table(), indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
