"""Claims about methods that do not exist, of every shape that claims may have. For tests of reports only."""

from typing import Any

LAWS = {
    "ROTATION": "A(J Q) = A(J) Q where Q Q^T = I",
    "COMMON_DESCENT": "<g_i, A(J)> >= 0 for every task i",
    "REPEATED_TASK": "A is unchanged when a row is repeated & counted once",
}
METHODS = ("Up", "Down", "Sideways")


def _cell(method: str, law: str, verdict: str, condition: str | None = None, **witness: Any) -> dict[str, Any]:
    return {
        "method": method,
        "law": law,
        "verdict": verdict,
        "condition": condition,
        "witness": {"aggregator": f"{method}()", **witness} if witness else None,
    }


def claims() -> dict[str, Any]:
    """Fresh builtin values at every call, as JSON has them: 3 laws, 3 methods, 9 cells, 1 contradiction."""
    return {
        "laws": dict(LAWS),
        "methods": list(METHODS),
        "cells": [
            *(_cell(method, "ROTATION", "holds") for method in METHODS),
            _cell("Up", "COMMON_DESCENT", "holds"),
            _cell("Down", "COMMON_DESCENT", "fails", rows=[[10, 0], [-30, 0.5]]),
            _cell("Sideways", "COMMON_DESCENT", "holds if", "at most 2 tasks", rows=[[1, 2], [3, 4], [5, 6]]),
            _cell("Up", "REPEATED_TASK", "holds if", "c < 1", rows=[[1e-9, -0.1]], order=[0], seed=3),
            _cell("Down", "REPEATED_TASK", "fails", rows=[[1, 0]], task_scales=[[2], [0.25]], other=[[0, 1e20]]),
            _cell("Sideways", "REPEATED_TASK", "holds if", "at most 2 tasks", rows=[[1, 2], [3, 4], [5, 7]]),
        ],
        "contradictions": [
            {
                "method": "Sideways",
                "law": "COMMON_DESCENT",
                "expected": "holds",
                "found": "holds if at most 2 tasks",
                "witness": {"aggregator": "Sideways()", "rows": [[1, 2], [3, 4], [5, 6]]},
            },
            {"method": "Up", "law": "ROTATION", "expected": "fails", "found": "holds", "witness": None},
        ],
    }
