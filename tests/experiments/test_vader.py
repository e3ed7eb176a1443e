"""VADER's texts: labels from the ratings, documents that stay together, words and their numbers, damaged archives."""

import hashlib
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from experiments.problems import vader
from experiments.problems.fetching import DataError
from experiments.problems.packaged import PackagedFiles
from paper_figures.tab_beyond_vision import MAJORITY

ROWS = 44
TWEETS = [
    ("1", "2.5", "0.3", "Great :) day!!"),
    ("2", "-0.6", "0.78", "don't like 42 things"),
    ("3", "0.5", "0.79", "so so"),
    ("4", "-0.5", "1.5", "so  SO"),  # for the second time, but for case and spaces
]


def table(lines: list[tuple[str, ...]]) -> str:
    return "".join("\t".join(line) + "\r\n" for line in lines)


def archive(changes: dict[str, str] | None = None) -> bytes:
    """4 tweets, 20 film reviews, 5 products with 2 sentences each, 5 articles with 2 sentences each."""
    rated = {
        "tweets": TWEETS,
        "movieReviewSnippets": [(str(n), "1.0", "0.5", f"film number{n} x{'yz' * n}") for n in range(20)],
        "amazonReviewSnippets": [(f"{n // 2}_{n % 2}", "-1.0", "0.5", f"product a{'b' * n}") for n in range(10)],
        "nytEditorialSnippets": [(f"{n // 2}_{n % 2}", "0.0", "0.9", f"article c{'d' * n}") for n in range(10)],
    }
    files = {f"{name}_GroundTruth": table([(key, "9", text) for key, _, _, text in own]) for name, own in rated.items()}
    for name, own in rated.items():  # in another order, as in the real archive
        lines = table([(key, mean, deviation, "[1, 2]") for key, mean, deviation, _ in own[::-1]])
        files[f"{name}_anonDataRatings"] = "\ufeff" + lines
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, text in (files | (changes or {})).items():
            member = tarfile.TarInfo(f"hutto_ICWSM_2014/{name}.txt")
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return out.getvalue()


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder that passes as the real one."""
    content = archive()
    (tmp_path / "vader").mkdir()
    (tmp_path / "vader" / vader.FILE).write_bytes(content)
    monkeypatch.setenv("FLATMTL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("FLATMTL_DATA", raising=False)
    sums, real = {vader.FILE: hashlib.sha256(content).hexdigest()}, vader.FILES
    monkeypatch.setattr(vader, "FILES", PackagedFiles(real.title, real.folder, real.package, sums, real.download))
    monkeypatch.setattr(vader, "ROWS", ROWS)
    monkeypatch.setattr(vader, "SIZES", {"train": 24, "validation": 8, "test": 10})
    return tmp_path


@pytest.fixture
def texts(tiny: Path) -> tuple[vader.Text, ...]:
    return vader.parse(archive(), "archive")


def test_labels_come_from_the_ratings_of_the_same_text(texts: tuple[vader.Text, ...]) -> None:
    assert [text.labels for text in texts[:3]] == [(2, 0, 0), (0, 0, 0), (1, 1, 0)]
    assert {text.labels for text in texts[3:]} == {(2, 0, 1), (0, 0, 2), (1, 1, 3)}


def test_a_text_that_occurs_again_is_left_out(texts: tuple[vader.Text, ...]) -> None:
    assert len(texts) == ROWS - 1
    assert [text.words for text in texts].count(("so", "so")) == 1


def test_numbers_emoticons_and_short_forms_are_words(texts: tuple[vader.Text, ...]) -> None:
    assert texts[0].words == ("great", ":)", "day", "!!")
    assert texts[1].words == ("don't", "like", "42", "things")


def test_no_document_is_in_two_splits(texts: tuple[vader.Text, ...]) -> None:
    splits = vader.divide(texts)
    assert {split: len(members) for split, members in splits.items()} == vader.SIZES
    homes = [{text.document for text in members} for members in splits.values()]
    assert len(set.union(*homes)) == sum(map(len, homes))
    words = [text.words for members in splits.values() for text in members]
    assert len(set(words)) == len(words) == 42


def test_splits_that_can_not_be_filled_are_refused(
    texts: tuple[vader.Text, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vader, "SIZES", {"train": 24, "validation": 8, "test": 12})
    with pytest.raises(DataError, match=r"do not fill the splits: .'test': 11"):
        vader.divide(texts)


def test_words_get_numbers_by_their_frequency_in_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vader, "VOCABULARY", 3)
    monkeypatch.setattr(vader, "LENGTH", 4)
    training = [vader.Text("a", tuple(words.split()), (0, 0, 0)) for words in ("b a a c", "a c b d", "d c")]
    vocabulary = vader.frequent_words(training)
    assert vocabulary == {"a": 2, "c": 3, "b": 4}
    assert vader.numbered(training, vocabulary).tolist() == [[4, 2, 2, 3], [2, 3, 4, 1], [1, 3, 0, 0]]
    longer = [vader.Text("b", ("a",) * 9, (0, 0, 0))]
    assert vader.numbered(longer, vocabulary).tolist() == [[2, 2, 2, 2]]


def test_what_is_loaded_and_what_can_not_be_asked_for(tiny: Path) -> None:
    train, few = vader.load_vader("train", data_dir=tiny), vader.load_vader("train", count=5, data_dir=tiny)
    assert train.examples.shape == (24, vader.LENGTH)
    assert train.examples.dtype == train.labels.dtype == np.int64
    np.testing.assert_array_equal(few.examples, train.examples[:5])
    with pytest.raises(ValueError, match="the test split has 10 texts"):
        vader.load_vader("test", count=11, data_dir=tiny)
    (tiny / "vader" / vader.FILE).write_bytes(b"damaged")
    assert vader.FILES.status(tiny).state == "corrupt"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tweets_GroundTruth": table([("1", "2.5")])}, "line 1: 2 cells of 3"),
        ({"tweets_GroundTruth": table([("1", "2", "a"), ("1", "2", "b")])}, "line 2: .*'1' for the second time"),
        ({"tweets_GroundTruth": table([("1", "2", "a")])}, "tweets: 3 texts or ratings have no partner"),
        ({"tweets_anonDataRatings": table([(str(n), "x", "1", "") for n in range(1, 5)])}, "could not convert string"),
    ],
)
def test_damaged_tables_are_refused(changes: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        vader.parse(archive(changes), "archive")


def test_other_archives_are_refused() -> None:
    with pytest.raises(DataError, match="archive: not the archive of rated texts"):
        vader.parse(b"no archive", "archive")
    with pytest.raises(DataError, match="44 texts, expected 23,703"):
        vader.parse(archive(), "archive")


def test_the_package_is_fetched_as_source_and_goes_to_the_cache(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = []

    def client(*command: str, folder: Path) -> bytes:
        commands.append(command[1:])
        member = tarfile.TarInfo(f"vaderSentiment-3.3.2/additional_resources/{vader.FILE}")
        content = (tiny / "vader" / vader.FILE).read_bytes()
        member.size = len(content)
        with tarfile.open(folder / "vaderSentiment-3.3.2.tar.gz", "w:gz") as tar:
            tar.addfile(member, io.BytesIO(content))
        return b""

    monkeypatch.setattr(vader, "run_client", client)
    assert vader.load_vader("test").labels.shape == (10, 3)
    assert vader.FILES.find() == tiny / "cache" / "vader"
    assert commands == [
        ("-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "vaderSentiment", vader.PACKAGE)
    ]


@pytest.mark.data
def test_the_real_texts() -> None:
    """As many texts of each domain as their README says, less those that occur again."""
    if vader.FILES.find() is None:
        pytest.skip("VADER's texts are not here")
    splits = [vader.load_vader(split) for split in vader.SIZES]
    labels = np.concatenate([split.labels for split in splits])
    counts = np.bincount(labels[:, 2])
    assert len(labels) == counts.sum() == 23_550
    assert (([4_200, 10_605, 3_708, 5_190] - counts >= 0) & ([4_200, 10_605, 3_708, 5_190] - counts < 80)).all()
    assert max(split.examples.max() for split in splits) == vader.VOCABULARY + 1
    answers = [np.bincount(splits[0].labels[:, task]).argmax() for task in range(3)]
    shares = 100 * (splits[2].labels == answers).mean(axis=0)
    assert [f"{share:.2f}" for share in shares] == [f"{share:.2f}" for share in MAJORITY["vader"]]
