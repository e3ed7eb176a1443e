"""A run of mutants that never happened: counts that agree with each other. For tests of reports only."""

from typing import Any


def _counts(mutants: int, killed: int, timed_out: int, explained: int, survived: int) -> dict[str, Any]:
    rest = killed + survived
    return {
        "mutants": mutants,
        "killed": killed,
        "timed_out": timed_out,
        "explained": explained,
        "survived": survived,
        "score": killed / rest if rest else None,
    }


def summary() -> dict[str, Any]:
    """Fresh builtin values at every call, as JSON has them: 12 mutants by hand, 40 of 1,234 automatic ones."""
    return {
        "schema_version": 1,
        "provenance": {
            "commit": "0123abcd",
            "dirty": False,
            "started": "2026-01-01T00:00:00Z",
            "python": "3.11.0",
            "torch": "2.13.0",
            "partial": False,
        },
        "hand": _counts(12, 12, 0, 0, 0),
        "automatic": _counts(40, 36, 3, 2, 2),
        "population": 1234,
        "low": 0.82,
        "high": 0.99,
        "modules": {
            "flatmtl_core/perturb.py": _counts(1, 0, 0, 1, 0),
            "flatmtl_core/step.py": _counts(51, 48, 3, 1, 2),
        },
        "survivors": [
            {
                "identity": "flatmtl_core/perturb.py:radius: comparison: rho < 0 -> rho <= 0 #0",
                "file": "flatmtl_core/perturb.py",
                "line": 12,
                "diff": "-    if rho < 0:\n+    if rho <= 0:",
                "tests": 31,
                "reason": "zero is left before <both> & the same comes out",
            },
            *(
                {
                    "identity": f"flatmtl_core/step.py:step: constant: {line} -> 0 #0",
                    "file": "flatmtl_core/step.py",
                    "line": line,
                    "diff": f"-        return {line}\n-        pass\n+        return 0",
                    "tests": line,
                    "reason": reason,
                }
                for line, reason in ((7, None), (8, "a guard"), (9, None))
            ),
        ],
        "seconds": 5400.0,
    }
