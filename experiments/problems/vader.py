"""VADER: 23,703 short texts whose sentiment people rated from -4 to 4: tweets, reviews, editorials. Words, not images.

Three tasks, made from what was rated:
- sentiment: mean rating below -0.5, from -0.5 to 0.5, above 0.5;
- disagreement: standard deviation of the ratings above 0.78, about its median;
- domain: tweet, sentence of a film review, of a product review, of a newspaper's editorial.

Mean and deviation are those of the files of ratings (the means in the files of texts differ from them for 199 tweets).
A text that occurs again, but for case and spaces, is left out. Sentences of one product review or one article stay in
one split. Networks see the numbers of up to 64 words, of the 4,000 most frequent ones of the training split.

Data: Hutto and Gilbert, "VADER: a parsimonious rule-based model for sentiment analysis of social media text", ICWSM
2014; an archive in the source distribution of the Python package ``vaderSentiment``, whose code is not imported.
"""

import io
import re
import sys
import tarfile
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.problems.fetching import DataError, only_file, run_client
from experiments.problems.packaged import Labelled, PackagedFiles, Split, checked_count

TASKS = ("sentiment", "disagreement", "domain")
DOMAINS = ("tweets", "movieReviewSnippets", "amazonReviewSnippets", "nytEditorialSnippets")
ROWS = 23_703
NEUTRAL = 0.5
DISAGREEMENT = 0.78
SIZES: dict[Split, int] = {"train": 16_350, "validation": 2_400, "test": 4_800}
SEED = 20_221_123

LENGTH = 64
VOCABULARY = 4_000
NOTHING, UNKNOWN, FIRST = 0, 1, 2
"""Numbers of a place after the end of the text, of a rare word, and of the most frequent word."""
WORD = re.compile(r"[a-z']+|[0-9]+|[^\sa-z0-9']+")
"""Words, numbers, and runs of other signs: emoticons are words."""

FILE = "hutto_ICWSM_2014.tar.gz"
PACKAGE = "vaderSentiment==3.3.2"


def _download(folder: Path) -> dict[str, bytes]:
    source_only = ("--no-deps", "--no-binary", "vaderSentiment")
    run_client(sys.executable, "-m", "pip", "download", "--quiet", *source_only, PACKAGE, folder=folder)
    try:
        with tarfile.open(only_file(folder, "*.tar.gz")) as archive:
            member = archive.extractfile(f"vaderSentiment-3.3.2/additional_resources/{FILE}")
            return {FILE: member.read()} if member is not None else {}
    except (tarfile.TarError, KeyError) as error:
        raise DataError(f"the package {PACKAGE} is not as expected ({error})") from error


FILES = PackagedFiles(
    title="VADER",
    folder="vader",
    package=f"the source distribution of the Python package {PACKAGE} (`pip download --no-deps --no-binary "
    f"vaderSentiment {PACKAGE}`, folder additional_resources)",
    sums={FILE: "d5bb07d87474b3eb8d30b4deccbc23f19d742a6c5718fbacc65485b70b95c5fa"},
    download=_download,
)


@dataclass(frozen=True)
class Text:
    """One rated text. ``document``: what it is a sentence of, or itself; ``labels``: of the three tasks."""

    document: str
    words: tuple[str, ...]
    labels: tuple[int, int, int]


def _lines(archive: tarfile.TarFile, name: str, cells: int) -> dict[str, list[str]]:
    """Lines of a table by their first cell."""
    member = archive.extractfile(f"hutto_ICWSM_2014/{name}.txt")
    found: dict[str, list[str]] = {}
    for number, line in enumerate((member.read() if member else b"").decode("utf-8-sig").splitlines(), start=1):
        key, *rest = line.split("\t")
        if len(rest) != cells - 1 or key in found:
            raise DataError(f"{name}, line {number}: {len(rest) + 1} cells of {cells}, or {key!r} for the second time")
        found[key] = rest
    return found


def parse(content: bytes, where: str) -> tuple[Text, ...]:
    """The texts of the archive, domain by domain, each once.

    Raises:
        DataError: no such archive, a line of another form, or texts and ratings that do not belong together.
    """
    texts: dict[tuple[str, ...], Text] = {}
    rows = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            for domain, name in enumerate(DOMAINS):
                said, rated = _lines(archive, f"{name}_GroundTruth", 3), _lines(archive, f"{name}_anonDataRatings", 4)
                if said.keys() != rated.keys():
                    raise DataError(f"{name}: {len(said.keys() ^ rated.keys())} texts or ratings have no partner")
                rows += len(said)
                for key, (_, text) in said.items():
                    mean, deviation = float(rated[key][0]), float(rated[key][1])
                    sentiment = int(mean >= -NEUTRAL) + int(mean > NEUTRAL)
                    labels = (sentiment, int(deviation > DISAGREEMENT), domain)
                    words = tuple(WORD.findall(text.lower()))
                    same = tuple(text.lower().split())
                    texts.setdefault(same, Text(f"{name} {key.partition('_')[0]}", words, labels))
    except (tarfile.TarError, KeyError, UnicodeDecodeError, ValueError) as error:
        raise DataError(f"{where}: not the archive of rated texts ({error}). Get the file again.") from error
    if rows != ROWS:
        raise DataError(f"{where}: {rows:,} texts, expected {ROWS:,}. Get the file again.")
    return tuple(texts.values())


def divide(texts: tuple[Text, ...]) -> dict[Split, list[Text]]:
    """Documents in a seeded order, each into the first split that has room for all of it; the rest into none."""
    documents: dict[str, list[Text]] = {}
    for text in texts:
        documents.setdefault(text.document, []).append(text)
    names = list(documents)
    splits: dict[Split, list[Text]] = {split: [] for split in SIZES}
    for number in np.random.Generator(np.random.PCG64(SEED)).permutation(len(names)):
        own = documents[names[number]]
        for split, members in splits.items():
            if len(members) + len(own) <= SIZES[split]:
                members.extend(own)
                break
    short = {split: len(members) for split, members in splits.items() if len(members) != SIZES[split]}
    if short:
        raise DataError(f"the documents do not fill the splits: {short} of {SIZES}")
    return splits


def numbered(texts: list[Text], vocabulary: dict[str, int]) -> NDArray[np.int64]:
    """(n, 64) numbers of words."""
    numbers = np.full((len(texts), LENGTH), NOTHING, dtype=np.int64)
    for row, text in zip(numbers, texts, strict=True):
        own = [vocabulary.get(word, UNKNOWN) for word in text.words[:LENGTH]]
        row[: len(own)] = own
    return numbers


def frequent_words(texts: list[Text]) -> dict[str, int]:
    """The most frequent words and their numbers; of equally frequent ones the first in the alphabet."""
    counts = Counter(word for text in texts for word in text.words)
    words = sorted(counts, key=lambda word: (-counts[word], word))[:VOCABULARY]
    return {word: number for number, word in enumerate(words, start=FIRST)}


@cache
def _splits(folder: Path) -> dict[Split, tuple[NDArray[np.int64], NDArray[np.int64]]]:
    splits = divide(parse(FILES.read(folder)[FILE], str(folder / FILE)))
    vocabulary = frequent_words(splits["train"])
    return {
        split: (numbered(texts, vocabulary), np.array([text.labels for text in texts], dtype=np.int64))
        for split, texts in splits.items()
    }


def load_vader(split: Split, *, count: int | None = None, data_dir: Path | None = None) -> Labelled:
    """The first ``count`` texts (default: all) of a split of 16,350 / 2,400 / 4,800: int64 (n, 64).

    Raises:
        DataError: the file can not be found or fetched, or is not the recorded one.
        ValueError: a split or a count that does not exist.
    """
    size = checked_count(split, count, SIZES, "texts")
    words, labels = _splits(FILES.find(data_dir) or FILES.fetch())[split]
    return Labelled.of(words[:size], labels[:size])
