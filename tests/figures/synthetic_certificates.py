"""Certificates of networks that never were, every number of which is known. For tests of exhibits only."""

from pathlib import Path

from experiments.certificates.records import (
    CERTIFICATE_SHELF,
    SCHEMA_VERSION,
    Candidate,
    Certificate,
    Certification,
    Split,
    TaskCertificate,
    certifications,
)
from experiments.spec import CLASSES
from paper_figures.tab_certificates import BOUNDS
from tests.figures.synthetic import result

ADVANTAGE = {"erm": 0.0, "sam_sum": 0.01, "direct": 0.02, "decomposed": 0.03}
"""Of each method's certificate over that of plain training."""
SLACK = 0.05


def task(risk: float, kl: float) -> TaskCertificate:
    return TaskCertificate(
        kl=kl,
        draws=20_000,
        risk=risk,
        risk_upper=risk + 0.01,
        bounds={name: risk + SLACK + 0.01 * rank for rank, name in enumerate(BOUNDS)},
        test_risk=risk + 0.001,
        centre_test_error=risk - 0.002,
    )


def certificate(certification: Certification) -> Certificate:
    """Risk 0.3, less the method's advantage, plus a thousandth a seed and a hundredth a task."""
    spec = certification.training
    risk = 0.3 - ADVANTAGE[spec.mode] + 0.001 * spec.seed
    count = len(certification.losses) or len(CLASSES[spec.problem])
    tasks = tuple(task(risk + 0.01 * number, 2.0) for number in range(count))
    mixture = 0.0 if spec.seed else 0.01
    candidate = Candidate(scale=0.1, mixture=mixture, kl_shared=1.0, kl_heads=(1.0,), risks=(risk,), value=risk + SLACK)
    return Certificate(
        schema_version=SCHEMA_VERSION,
        key=CERTIFICATE_SHELF.key(certification),
        certification=certification,
        provenance=result(spec).provenance,
        split=Split(sample=0.04, draws=0.01, scales=6, tasks=len(tasks)),
        n_bound=13_500,
        scale=0.1,
        mixture=mixture,
        search=(candidate,),
        tasks=tasks,
        average=task(risk, 3.0),
        prior_test_error=(risk,),
        seconds=60.0,
    )


def fill(folder: Path) -> None:
    """Every certificate of the list."""
    for one in certifications():
        CERTIFICATE_SHELF.save(folder, certificate(one))
