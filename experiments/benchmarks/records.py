"""What one call of the benchmarks leaves: one strict JSON file, written at once or not at all. No torch here."""

from pathlib import Path
from typing import Literal

import msgspec

from experiments.results import STORE, StoreError, refuse_non_finite, write_atomically

SCHEMA_VERSION = 1
STORED = STORE / "bench.json"
"""The benchmark that the report shows."""

Implementation = Literal["flatmtl", "torchjd", "plain", "twin"]
"""This project; TorchJD from the package index; PyTorch written the obvious way; the tests' own slow reference."""

Axis = Literal["tasks", "parameters", "batch"]
GateKind = Literal["cost", "memory", "accuracy", "seconds", "peer"]


class Spread(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Median and quartiles over the rounds. Of a ratio: of the ratios of the SAME rounds, not a ratio of medians."""

    median: float
    low: float
    high: float


class Provenance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was measured, on what, how.

    Args:
        dirty: uncommitted changes of what runs.
        rounds: at most; where a step takes seconds fewer are made, three at least.
        tiny: sizes of a smoke test.
    """

    commit: str
    dirty: bool
    machine: str
    python: str
    torch: str
    torchjd: str
    threads: int
    clock: Literal["process CPU"]
    rounds: int
    tiny: bool
    started: str
    finished: str


class StepCost(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way of computing one iteration up to the optimizer's step.

    Args:
        problem: short key; ``label``: for readers.
        tasks, shared_parameters, batch: m, d, examples.
        method: what is computed, such as ``ERM MGDA``, ``F-MGDA``, ``direct MGDA``, ``SAM-sum``; ``U``: forward and
            backward of the summed loss, ``F``: the forward with its graph.
        implementation: by whom.
        seconds: process CPU.
        units: in U.
        over_floor: over the fewest passes that this method can do with; None where no floor is known.
        forwards, backwards: calls of the losses, and gradients that reach the trunk's first parameter, in one step.
        peak_bytes: largest sum of live torch allocations during one step, beyond what was live before it (parameters,
            data, kept buffers of earlier steps do not count); None where it was not measured.
        graph_bytes: for U alone: ``peak_bytes`` of the same with the graph kept until the end, as several backwards
            through one graph need it; None for all others.
        resident_bytes: growth of the largest resident set over one step in a process of its own, kept buffers
            included.
    """

    problem: str
    label: str
    tasks: int
    shared_parameters: int
    batch: int
    method: str
    implementation: Implementation
    seconds: Spread
    units: Spread
    over_floor: Spread | None
    forwards: int
    backwards: int
    peak_bytes: int | None
    resident_bytes: int | None
    graph_bytes: int | None = None


class AggregatorCost(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One aggregator on one (m, d) matrix, over the bound ``torch.mm(J, J.T)`` + ``torch.mv(J.T, w)``.

    ``case``: which matrix. ``relative_gap``: for MGDA ``(d.d - min_i g_i.d) / (d.d)`` of the direction that came out,
    in float64, 0 at the exact solution; None for other methods. ``solver_share``: of the time, what finding the weights
    from the (m, m) Gramian takes; None for other implementations, and for methods that have no such part.
    """

    method: str
    tasks: int
    columns: int
    case: str
    implementation: Implementation
    seconds: Spread
    over_bound: Spread
    relative_gap: float | None
    solver_share: Spread | None = None

    @property
    def label(self) -> str:
        """The matrix and the method, as gates name them."""
        return f"{self.method}, m = {self.tasks}, d = {self.columns:.1e}"


class ScalingPoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One point of a curve: ``x`` tasks, shared parameters or examples; ``units`` in U of the same problem."""

    axis: Axis
    series: str
    x: int
    seconds: Spread
    units: Spread
    peak_bytes: int


class Gate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A limit and what was measured. ``peer``: the best other implementation, in the same quantity; None: none ran.

    ``cost``, ``memory``, ``accuracy``, ``seconds``: met when the median is at most ``limit * (1 + tolerance)``.
    ``peer``: time over the peer's time, limit 1, met unless the whole interval lies above the limit.
    """

    name: str
    kind: GateKind
    limit: float
    tolerance: float
    measured: Spread
    met: bool
    peer: str | None
    peer_figure: float | None


class Benchmark(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that one call measured."""

    schema_version: int
    provenance: Provenance
    steps: tuple[StepCost, ...]
    aggregators: tuple[AggregatorCost, ...]
    scaling: tuple[ScalingPoint, ...]
    gates: tuple[Gate, ...]


def write_benchmark(path: Path, benchmark: Benchmark) -> None:
    """Write one benchmark; refuses non-finite numbers."""
    refuse_non_finite(msgspec.to_builtins(benchmark), "benchmark")
    write_atomically(path, msgspec.json.format(msgspec.json.encode(benchmark), indent=1) + b"\n")


def read_benchmark(path: Path) -> Benchmark:
    """Read one benchmark strictly: schema version, unknown fields and types are all checked."""
    remedy = "Remove the file and run the benchmarks again."
    try:
        raw = msgspec.json.decode(path.read_bytes())
        version = raw.get("schema_version") if isinstance(raw, dict) else None
        if version != SCHEMA_VERSION:
            raise StoreError(f"{path}: schema version {version}, expected {SCHEMA_VERSION}. {remedy}")
        return msgspec.convert(raw, Benchmark)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise StoreError(f"{path}: not a Benchmark ({error}). {remedy}") from error
