"""An embedding of words and their mean: a network for short texts."""

from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

WORDS = 4_002
"""Numbers of words: nothing, unknown, and the 4,000 of the vocabulary."""
EMBEDDING = 32
FEATURES = 64


class BagOfWordsTrunk(nn.Module):
    """Mean of the embeddings (32 each) of the words that are there; fc 32 -> 64; ReLU: 130,176 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.EmbeddingBag(WORDS, EMBEDDING, mode="mean", padding_idx=0)
        self.fc = nn.Linear(EMBEDDING, FEATURES)

    def forward(self, words: Int64[Tensor, "n length"]) -> Float[Tensor, "n 64"]:
        return functional.relu(self.fc(self.embedding(words)))
