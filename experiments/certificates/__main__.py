"""Command line: ``python -m experiments.certificates`` certifies what is missing; finished certificates are skipped."""

import functools
import sys
from pathlib import Path
from typing import Literal

import tyro

from experiments.available import find_lacks
from experiments.certificates import records, trained_records
from experiments.certificates.certify import certify
from experiments.certificates.disjoint import load_disjoint, load_independent
from experiments.certificates.fit import fit
from experiments.engines.records import keep_records
from experiments.executors import Settings


def main(
    kind: Literal["line", "trained", "losses"] = "line",
    store: Path | None = None,
    workers: int = 2,
    fresh: bool = False,
    data_dir: Path | None = None,
    only: str = "",
) -> int:
    """Certify networks trained plain, by SAM-sum, direct and decomposed, on every data set.

    Args:
        kind: posteriors on the line to the network that goes on training, or trained on the bound; or on the line, by
            other losses than 0-1.
        store: folder of the certificates; by default the kind's own. Locks and failures go into its .work/, for the
            repository's own store into build/.
        workers: processes, one thread each.
        fresh: make finished certificates again.
        data_dir: folder with the original files. What needs data that can not be used or fetched is left out, which is
            said once, before the rest starts.
        only: those whose training is described by a line that contains this text.
    """
    own = {"line": records.STORED, "trained": trained_records.STORED, "losses": records.BOUNDED_STORED}
    settings = Settings(store=store or own[kind], data_dir=data_dir, fresh=fresh)
    keep = functools.partial(keep_records, settings=settings, lacks=find_lacks, workers=workers, only=only)
    if kind == "losses":
        failed = keep(records.CERTIFICATE_SHELF, records.bounded_certifications(), certify, load=load_independent)
    elif kind == "line":
        failed = keep(records.CERTIFICATE_SHELF, records.certifications(), certify, load=load_disjoint)
    else:
        failed = keep(trained_records.FITTED_SHELF, trained_records.fittings(), fit, load=load_disjoint)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(tyro.cli(main))
