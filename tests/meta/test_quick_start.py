"""The README's quick start runs as it stands."""

import torch
from torch import nn

from tests.meta.test_house import BLOCK, section
from tests.trace import ROOT


def quick_start() -> str:
    """The first block of code below the heading."""
    block: str = BLOCK.findall(section((ROOT / "README.md").read_text(encoding="utf-8"), "Quick start"))[0]
    return block


def test_the_quick_start_trains() -> None:
    scope: dict[str, object] = {}
    exec(compile(quick_start(), "README.md", "exec"), scope)
    train = scope["train"]
    assert callable(train)
    torch.manual_seed(0)
    trunk, heads = nn.Sequential(nn.Linear(4, 8), nn.Tanh()), [nn.Linear(8, 2), nn.Linear(8, 2)]
    optimizer = torch.optim.SGD([*trunk.parameters(), *(p for head in heads for p in head.parameters())], lr=0.1)
    loader = [(torch.randn(16, 4), torch.randn(2, 16, 2))] * 20
    criteria = [nn.functional.mse_loss, nn.functional.l1_loss]
    first = train(trunk, heads, loader[:1], criteria, optimizer)
    last = train(trunk, heads, loader, criteria, optimizer)
    assert (last.losses < first.losses).all()


def test_the_quick_start_is_short() -> None:
    body = [line for line in quick_start().splitlines() if line.strip() and "import" not in line]
    assert len(body) <= 15
