"""What a run leaves: one strict JSON file a key, written at once or not at all. No torch here."""

import hashlib
import math
import os
import statistics
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from experiments.spec import ProblemName, ProfileName, Spec, method_label, spec_key

SCHEMA_VERSION = 1
STORE = Path(__file__).parent / "store"
"""Results that are kept in the repository."""


RECENT = 10
"""Epochs at the end of a run on a dense problem after which the test split is read: the paper reports their mean."""
CPU_PARTS = ("batches", "step", "running means", "probe", "validation", "test", "checkpoints")
"""Where a run's processor time goes: making a batch; the method's gradients and the optimizers; losses and accuracies
of the epoch under way; then what comes once an epoch, and the test split."""


class StoreError(Exception):
    """A stored result that can not be trusted: the message names the file, what is wrong and what to do."""


class Conflict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Geometry of the task gradients, averaged over mini-batches.

    Shares are in [0, 1]: ``inter_loss`` and ``inter_flat`` over mini-batches and pairs of tasks with a negative inner
    product, ``intra`` per task over mini-batches with <g_loss, g_flat> < 0. Norms are means over mini-batches (shared
    block). ``None`` where the method has no such gradients (one task a network: no pair; no second pass: no flat part).
    """

    batches: int
    inter_loss: float | None
    inter_flat: float | None
    intra: tuple[float, ...] | None
    loss_norm: tuple[float, ...]
    flat_norm: tuple[float, ...] | None
    flat_to_loss: tuple[float, ...] | None
    stationary_loss: int = 0
    stationary_flat: int = 0


class EpochRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One epoch. Training numbers come from the unperturbed forward passes of that epoch; ``during`` from its own
    steps (None where the method does not form task gradients), ``probe`` from fixed batches at the end of the epoch
    at radius ``probe_rho``, the same for every method. ``parameter_norms`` are per block, by parameter name.
    ``validation_metrics``: of dense problems, which have no accuracies, by the names of `experiments.dense_metrics`."""

    epoch: int
    train_loss: tuple[float, ...]
    perturbed_loss: tuple[float, ...] | None
    train_accuracy: tuple[float, ...]
    validation_loss: tuple[float, ...]
    validation_accuracy: tuple[float, ...]
    during: Conflict | None
    probe: Conflict
    parameter_norms: dict[str, float]
    seconds: float
    validation_metrics: dict[str, float] = {}


def merit(record: EpochRecord) -> float:
    """What the best epoch has most of: the mean validation accuracy; without one, minus the mean validation loss."""
    if record.validation_accuracy:
        return statistics.fmean(record.validation_accuracy)
    return -statistics.fmean(record.validation_loss)


class Evaluation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Test split: accuracy (share in [0, 1]) and cross entropy (nats) per task, after ``epoch`` epochs. A dense problem
    has ``metrics`` and losses, and no accuracy."""

    epoch: int
    accuracy: tuple[float, ...]
    loss: tuple[float, ...]
    metrics: dict[str, float] = {}


class Provenance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the numbers come from. ``data_sha256``: the arrays that were used; ``dirty``: uncommitted changes."""

    commit: str
    dirty: bool
    python: str
    torch: str
    numpy: str
    machine: str
    threads: int
    data_sha256: dict[str, str]
    started: str
    finished: str
    resumed: int


class Result(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Everything that tables and figures read. ``best_epoch`` is chosen on VALIDATION by mean task accuracy (first of
    ties); the test split is evaluated there and after the last epoch, never for choosing.
    ``gradient_evaluations`` counts backward passes of one task's loss through its network; ``dimensions`` are
    parameters per block (``shared``, ``head 1`` ...; one network a task: ``network 1`` ...). Of dense problems
    ``best_epoch`` has the least mean of the validation losses, and ``test_recent`` are the test split's evaluations
    after each of the last 10 epochs, whose mean is the paper's number; they choose nothing. ``cpu_seconds``: by the
    parts `CPU_PARTS` (absent in results that are older than it)."""

    schema_version: int
    key: str
    spec: Spec
    provenance: Provenance
    dimensions: dict[str, int]
    epochs: tuple[EpochRecord, ...]
    best_epoch: int
    test_best: Evaluation
    test_last: Evaluation
    steps: int
    gradient_evaluations: int
    seconds_training: float
    cpu_seconds_training: float
    test_recent: tuple[Evaluation, ...] = ()
    cpu_seconds: dict[str, float] = {}


def result_path(store: Path, spec: Spec) -> Path:
    return store / spec.profile / spec.problem / f"{spec_key(spec)}.json"


def refuse_non_finite(value: Any, where: str) -> None:
    """Refuse NaN and infinity anywhere in builtin values; ``where`` names the value."""
    if isinstance(value, float) and not math.isfinite(value):
        raise StoreError(
            f"{where} is {value}: a store holds finite numbers only (JSON would write null). Nothing was written."
        )
    if isinstance(value, dict):
        for name, inner in value.items():
            refuse_non_finite(inner, f"{where}.{name}")
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            refuse_non_finite(inner, f"{where}[{index}]")


def write_atomically(path: Path, content: bytes) -> None:
    """The file appears whole or not at all, also when the process is killed meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def remove_unfinished(path: Path) -> None:
    """Remove what a writer of this file left beside it when it was killed. Nobody may be writing it meanwhile."""
    for temporary in path.parent.glob(f".{path.name}.*"):
        temporary.unlink(missing_ok=True)


class Keyed(Protocol):
    """What a store holds: a strict record that carries the key of what it answers."""

    @property
    def schema_version(self) -> int: ...

    @property
    def key(self) -> str: ...


AnyKeyed = TypeVar("AnyKeyed", bound=Keyed)


def save_keyed(path: Path, content: Keyed, own_key: str, *, what: str, of: str, indent: int = -1) -> Path:
    """Write one record; refuses non-finite numbers and a key that is not its own.

    Args:
        what, of: what is written and what its key is made from, in words.
        indent: of the JSON; -1: all on one line.
    """
    if content.key != own_key:
        raise StoreError(f"key {content.key} is not the key of its {of} ({own_key}). Nothing was written.")
    refuse_non_finite(msgspec.to_builtins(content), what)
    write_atomically(path, msgspec.json.format(msgspec.json.encode(content), indent=indent) + b"\n")
    return path


def read_keyed(path: Path, kind: type[AnyKeyed], *, version: int, what: str, remedy: str) -> AnyKeyed:
    """Read one record strictly: schema version, unknown fields, types and key are all checked.

    Args:
        what, remedy: what the file should hold, and what to do when it does not, in words.
    """
    try:
        raw = msgspec.json.decode(path.read_bytes())
        found = raw.get("schema_version") if isinstance(raw, dict) else None
        if found != version:
            raise StoreError(f"{path}: schema version {found}, expected {version}. {remedy}")
        content = msgspec.convert(raw, kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise StoreError(f"{path}: not a {what} ({error}). {remedy}") from error
    if path.stem != content.key:
        raise StoreError(f"{path}: holds key {content.key}. Restore the file's name or remove it.")
    return content


def first_path(stores: Iterable[Path], path_in: Callable[[Path], Path]) -> Path | None:
    """The file of the first store that has it."""
    return next((path for path in map(path_in, stores) if path.exists()), None)


class Question(Protocol):
    """What is asked of a training run."""

    @property
    def training(self) -> Spec: ...


class Answer(Keyed, Protocol):
    """What a question comes to; ``summary``: in a few words, for a terminal."""

    @property
    def summary(self) -> str: ...


AnyQuestion = TypeVar("AnyQuestion", bound=Question)
AnyAnswer = TypeVar("AnyAnswer", bound=Answer)


@dataclass(frozen=True)
class Shelf(Generic[AnyQuestion, AnyAnswer]):
    """Where the answers to one kind of question about training runs are kept: one strict file a question.

    Args:
        name: of the question, in keys and as the answer's field.
        answer: the type of an answer.
        version: of the answers' schema. revision: raised when answers are formed otherwise: stored ones then count as
            missing.
        what, again: what a file holds, and what to do to have it anew, in words.
        later: fields of a question that came after answers were stored, with their defaults: at these they are left
            out of the key.
    """

    name: str
    answer: type[AnyAnswer]
    version: int
    revision: int
    what: str
    again: str
    later: tuple[tuple[str, Any], ...] = ()

    def key(self, question: AnyQuestion) -> str:
        """16 hexadecimal digits of the SHA-256 of the question, of its training run's key, and of the revision."""
        fields: dict[str, Any] = msgspec.to_builtins(question) | {"training": spec_key(question.training)}
        for name, default in self.later:
            if getattr(question, name) == default:
                del fields[name]
        content = msgspec.json.encode({self.name: fields, "revision": self.revision}, order="sorted")
        return hashlib.sha256(content).hexdigest()[:16]

    def path(self, store: Path, question: AnyQuestion) -> Path:
        return store / f"{self.key(question)}.json"

    def save(self, store: Path, answer: AnyAnswer) -> Path:
        """Write one answer; refuses non-finite numbers and a key that is not its own."""
        question: AnyQuestion = getattr(answer, self.name)
        return save_keyed(self.path(store, question), answer, self.key(question), what=self.what, of=self.name)

    def read(self, path: Path) -> AnyAnswer:
        """Read one answer strictly."""
        remedy = f"Remove the file and {self.again}."
        return read_keyed(path, self.answer, version=self.version, what=self.what, remedy=remedy)

    def find(self, stores: Iterable[Path], question: AnyQuestion) -> AnyAnswer | None:
        """The answer to this very question, from the first store that has it."""
        path = first_path(stores, lambda store: self.path(store, question))
        return None if path is None else self.read(path)


def save_result(store: Path, result: Result) -> Path:
    """Write one result; refuses non-finite numbers and a key that is not the spec's own."""
    path = result_path(store, result.spec)
    return save_keyed(path, result, spec_key(result.spec), what="result", of="spec", indent=1)


def read_result(path: Path) -> Result:
    """Read one result strictly."""
    remedy = "Remove the file and run its spec again."
    return read_keyed(path, Result, version=SCHEMA_VERSION, what="Result", remedy=remedy)


def find_result(stores: Iterable[Path], spec: Spec) -> Result | None:
    """The result of this very spec, from the first store that has it."""
    path = first_path(stores, lambda store: result_path(store, spec))
    return None if path is None else read_result(path)


def load_results(store: Path) -> Iterator[Result]:
    """All current results of a store: those of older revisions (whose key is no longer their spec's) are left out, and
    whatever a hidden folder holds is none."""
    for path in sorted(store.glob("[!.]*/*/*.json")):
        result = read_result(path)
        if result.key == spec_key(result.spec):
            yield result


class ReproducedRun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One run that was computed twice. ``identical``: everything but times and provenance, bit for bit, data included;
    ``expected_identical``: same processor, torch and thread count, so that it has to be (elsewhere the last bits of
    float32 differ and grow); ``accuracy_difference``: the largest over all accuracies of all epochs and the test split,
    those of pixels included, in [0, 1]."""

    key: str
    label: str
    problem: ProblemName
    seed: int
    identical: bool
    expected_identical: bool
    accuracy_difference: float


class Reproduction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A list of runs computed anew, against the stored results. ``absent``: keys that only one side, or none, has."""

    schema_version: int
    name: ProfileName
    machine: str
    runs: tuple[ReproducedRun, ...]
    absent: tuple[str, ...]


def _numbers(result: Result) -> dict[str, Any]:
    """The result without what may differ between two runs of one spec: times and provenance, data sums excepted."""
    numbers: dict[str, Any] = msgspec.to_builtins(result)
    for name in ("provenance", "seconds_training", "cpu_seconds_training", "cpu_seconds"):
        numbers.pop(name, None)
    for record in numbers["epochs"]:
        del record["seconds"]
    return numbers | {"data_sha256": result.provenance.data_sha256}


def _accuracies(result: Result) -> list[float]:
    tests = (result.test_best, result.test_last, *result.test_recent)
    metrics = (*(record.validation_metrics for record in result.epochs), *(test.metrics for test in tests))
    return [
        *(value for record in result.epochs for value in (*record.train_accuracy, *record.validation_accuracy)),
        *(value for test in tests for value in test.accuracy),
        *(one["pixel_accuracy"] for one in metrics if one),
    ]


def _arithmetic(result: Result) -> tuple[str, str, int]:
    """What decides the last bits of a float32 computation."""
    return result.provenance.machine, result.provenance.torch, result.provenance.threads


def compare_results(stored: Result, computed: Result) -> ReproducedRun:
    """Two results of the same spec, side by side."""
    if stored.key != computed.key:
        raise StoreError(f"results of different runs: keys {stored.key} and {computed.key}. Compare equal keys.")
    differences = [abs(one - other) for one, other in zip(_accuracies(stored), _accuracies(computed), strict=True)]
    return ReproducedRun(
        key=stored.key,
        label=method_label(stored.spec),
        problem=stored.spec.problem,
        seed=stored.spec.seed,
        identical=_numbers(stored) == _numbers(computed),
        expected_identical=_arithmetic(stored) == _arithmetic(computed),
        accuracy_difference=max(differences),
    )
