"""Train on one part of the training split and look at the network at some epochs, on parts that it has not seen."""

import math
import time

import torch

from experiments.certificates.certify import errors
from experiments.certificates.parts import Part, cut, prior_of
from experiments.courses.records import (
    COURSE_SHELF,
    SCHEMA_VERSION,
    Checkpoint,
    Course,
    Following,
    Rise,
)
from experiments.measures.noise import premise_rises
from experiments.methods import Method, stream_seed
from experiments.metrics import to_input
from experiments.models import MultiTaskModel
from experiments.provenance import now, provenance
from experiments.splits import LoadedProblem
from theory.bounds import foret, main_theorem, pac_bayes
from theory.bounds.complexity import Setting

BOUNDS = {
    "Seeger-Maurer": pac_bayes.seeger_maurer,
    "McAllester": pac_bayes.mcallester,
    "quadratic": pac_bayes.quadratic,
}
THEOREMS = {
    "Theorem 1": main_theorem.theorem_1,
    "A": main_theorem.theorem_a,
    "B, square root": main_theorem.theorem_b_root,
    "Foret": foret.foret,
    "Foret corrected": foret.foret_corrected,
}


def follow(following: Following, problem: LoadedProblem, *, commit: str, dirty: bool) -> Course:
    """The checkpoints of one run; training itself never sees the bound's part or the test split.

    Raises:
        InvalidBound: a part would be empty.
        ValueError: a checkpoint after the last epoch, or out of order.
    """
    spec, clock, started = following.training, time.process_time(), now()
    wanted = following.checkpoints
    if list(wanted) != sorted(set(wanted)) or not 0 <= wanted[0] <= wanted[-1] <= spec.epochs:
        raise ValueError(f"checkpoints are {wanted}; they must rise from 0 or later to at most {spec.epochs} epochs.")
    first, second = cut(problem.train, following.n_prior, ("prior", "bound"))
    test = Part("test", problem.test.examples, problem.test.labels)
    found = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(spec.seed, "noise"))
        method = Method(spec)
        (network,) = method.networks
        optimizer = torch.optim.Adam(network.parameters(), lr=spec.learning_rate)
        orders = torch.Generator().manual_seed(stream_seed(spec.seed, "batches"))
        for epoch in range(wanted[-1] + 1):
            network.train()
            for chosen in torch.randperm(len(first), generator=orders).split(spec.batch_size) if epoch else ():
                optimizer.zero_grad()
                method.step(to_input(first.examples[chosen]), first.labels[chosen])
                optimizer.step()
            if epoch in wanted:
                found.append(_checkpoint(following, network.eval(), epoch, first, second, test))
    return Course(
        schema_version=SCHEMA_VERSION,
        key=COURSE_SHELF.key(following),
        following=following,
        provenance=provenance(problem, commit=commit, dirty=dirty, started=started, resumed=0),
        n_bound=len(second),
        checkpoints=tuple(found),
        cpu_seconds=time.process_time() - clock,
    )


def _checkpoint(
    following: Following, network: MultiTaskModel, epoch: int, first: Part, second: Part, test: Part
) -> Checkpoint:
    prior_of(network, (first,)).check_unseen(second)
    held_out = errors(network, second)
    nothing = [0.0] * len(held_out)
    generator = torch.Generator().manual_seed(stream_seed(following.training.seed, "probe"))
    rises = []
    for rho in following.radii:
        pairs = premise_rises(
            network,
            test.examples,
            test.labels,
            rho=rho,
            n_samples=following.n_prior,
            piece=following.piece,
            generator=generator,
        )
        losses, compared = zip(*pairs, strict=True)
        rises.append(Rise(rho=rho, loss=losses, rise=compared))
    setting = _setting(following, network)
    tasks = range(setting.tasks)
    return Checkpoint(
        epoch=epoch,
        train_error=errors(network, first),
        held_out_error=held_out,
        test_error=errors(network, test),
        bounds={
            name: pac_bayes.average_task(bound, held_out, 0.0, nothing, len(second), following.delta).value
            for name, bound in BOUNDS.items()
        },
        theorems={name: max(term(setting, task).value for task in tasks) for name, term in THEOREMS.items()},
        rises=tuple(rises),
    )


def _setting(following: Following, network: MultiTaskModel) -> Setting:
    """Sizes and norms at the last radius, N what the network was trained on."""
    blocks = [network.shared_parameters(), *network.head_parameters()]
    norms = [math.hypot(*(float(one.detach().double().norm()) for one in block)) for block in blocks]
    sizes = [sum(one.numel() for one in block) for block in blocks]
    rho = following.radii[-1]
    return Setting(sizes[0], tuple(sizes[1:]), norms[0], tuple(norms[1:]), rho, rho, following.n_prior, following.delta)
