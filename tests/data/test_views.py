"""Views: the arithmetic of labels and lists by hand, and the same from lists, datasets and streams."""

import pytest
from datasets import Dataset, DatasetDict, IterableDataset

from atom_hf.data.annotation_records import Annotated, Candidate
from atom_hf.data.degrees import degree_of_gap
from atom_hf.data.pairs import PairReport
from atom_hf.data.schema import features, motion_message, pair_row
from atom_hf.data.views import listwise, listwise_rows, preferred, unpaired, unpaired_rows

A, B, C, D, E, F = ([i, i] for i in range(6))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path)


def row(
    number, chosen, rejected, degree="better", prompt="p0", scores=(None, None), task="overall", judge="human", **size
):
    if scores[0] is not None:
        degree = degree_of_gap(scores[0] - scores[1])
    return pair_row(
        id=str(number),
        prompt_id=prompt,
        prompt=f"a man waves {prompt}",
        task=task,
        chosen={"codes": chosen, "score": scores[0]},
        rejected={"codes": rejected, "score": scores[1]},
        degree=degree,
        judge=judge,
        **size,
    )


ROWS = [
    row(0, A, B, "much better"),  # A +3, B -3
    row(1, B, C, "better"),  # B +2 -3 = -1, C -2
    row(2, A, D, "skipped"),
    row(3, A, B, "better", prompt="p1"),
    row(4, D, E, "better"),  # D +2, E -2
    row(5, E, F, "better"),  # E 0, F -2
    row(6, C, D, "negligibly better/unsure"),
]


def dataset(rows=ROWS, kind="dataset"):
    whole = Dataset.from_list(rows, features=features())
    return {"list": rows, "dataset": whole, "stream": whole.to_iterable_dataset()}[kind]


def motion(record):
    return [int(part.strip("<>").split("_")[2]) for part in record["completion"][0]["content"].split("><")][1:-1]


@pytest.mark.parametrize("kind", ["list", "dataset", "stream"])
def test_preferred(kind):
    view = preferred(dataset(kind=kind))
    assert [r["id"] for r in view] == ["0", "1", "3", "4", "5", "6"]
    assert kind == "list" or isinstance(view, type(dataset(kind=kind)))


@pytest.mark.parametrize("kind", ["list", "dataset", "stream"])
def test_unpaired(kind):
    view = unpaired(dataset(kind=kind))
    rows = list(view)
    labels = {(r["prompt"][0]["content"][-2:], motion(r)[0]): r["label"] for r in rows}
    assert labels == {
        ("p0", 0): True,
        ("p0", 1): False,
        ("p0", 2): False,
        ("p0", 3): True,
        ("p0", 5): False,
        ("p1", 0): True,
        ("p1", 1): False,
    }
    assert len(rows) == 7  # each motion of a prompt once
    assert rows[0] == {"prompt": ROWS[0]["prompt"], "completion": motion_message(A), "label": True}
    assert kind == "list" or rows == list(view)  # and again in the next epoch


def test_unpaired_counts_what_it_leaves_out():
    report = PairReport()
    list(unpaired_rows(ROWS, report))
    assert (report.prompts, report.paired) == (2, 2)
    assert report.left_out == {"of a motion that is neither good nor bad": 1}  # E won as much as it lost
    report = PairReport()
    assert list(unpaired_rows([row(0, A, B, "skipped"), row(1, C, D, "negligibly better/unsure")], report)) == []
    assert sum(report.left_out.values()) == 4 and report.paired == 0


def test_unpaired_reads_twice():
    with pytest.raises(TypeError, match="can be read twice, such as a list or a Dataset, got an iterator"):
        next(unpaired_rows(iter(ROWS)))


def test_unpaired_has_the_columns_of_kto():
    view = unpaired(dataset())
    assert isinstance(view, Dataset) and view.column_names == ["prompt", "completion", "label"]
    assert view.features["label"].dtype == "bool"


def test_another_dataset_is_not_taken_from_a_cache():
    first, second = unpaired(dataset()), unpaired(dataset(ROWS[:1]))
    assert (len(first), len(second)) == (7, 2)


def test_views_of_all_splits():
    splits = DatasetDict(train=dataset(ROWS[:3]), test=dataset(ROWS[3:]))
    assert preferred(splits)["train"].num_rows == 2
    assert {name: part.num_rows for name, part in unpaired(splits).items()} == {"train": 3, "test": 4}
    assert isinstance(unpaired(splits), DatasetDict)


SCORED = [
    row(0, A, B, scores=(4.0, 2.0), judge="k"),
    row(1, C, A, scores=(5.0, 4.0), judge="k"),
    row(2, D, E, prompt="p1"),
    row(3, C, B, scores=(3.0, 1.0), task="frequency", judge="k"),
    row(4, D, B, scores=(4.0, 2.0), judge="k"),
]


@pytest.mark.parametrize("kind", ["list", "dataset", "stream"])
def test_listwise(kind):
    view = list(listwise(dataset(SCORED, kind)))
    assert [(r["prompt_id"], r["task"], r["scores"]) for r in view] == [
        ("p0", "overall", [5.0, 4.0, 4.0, 2.0]),
        ("p0", "frequency", [3.0, 1.0]),
    ]
    assert view[0]["completions"] == [motion_message(codes) for codes in (C, A, D, B)]
    assert view[0]["prompt"] == SCORED[0]["prompt"]


def test_listwise_never_mixes_judges_and_counts():
    report = PairReport()
    rows = [*SCORED, row(5, A, F, scores=(5.0, 1.0), judge="other"), row(6, F, A, scores=(5.0, 3.0), judge="other")]
    lists = list(listwise_rows(rows, report))
    assert [r["scores"] for r in lists][-1] == [4.0, 3.0]  # the means of 5 and 3, and of 1 and 5
    assert report.unscored == {"only compared": 2}
    assert report.left_out == {"with fewer than two scored motions": 1} and (report.prompts, report.paired) == (4, 3)


def test_listwise_of_annotations():
    prompt = Annotated("p0", "a man waves", "frequency")
    for sample, (codes, score) in enumerate([(A, 2.0), (B, 5.0), (C, None), (D, 3.5)]):
        prompt.candidates[sample] = Candidate(sample, tuple(codes), score=score, judge="k", cause=None)
    report = PairReport()
    (ranked,) = listwise(iter([prompt]))
    assert ranked == next(listwise_rows([prompt], report))
    assert (ranked["prompt_id"], ranked["task"], ranked["scores"]) == ("p0", "frequency", [5.0, 3.5, 2.0])
    assert ranked["completions"][0] == motion_message(B)
    assert ranked["prompt"] == [{"role": "user", "content": "a man waves"}]
    assert report.unscored == {"no verdict": 1}


@pytest.mark.parametrize("kind", ["list", "dataset", "stream"])
def test_listwise_says_motions_as_the_pairs_do(kind):
    pair = row(0, [600], [1023], scores=(4.0, 2.0), judge="k", num_codes=1024)
    (ranked,) = listwise(dataset([pair], kind))
    assert ranked["completions"] == [pair["chosen"], pair["rejected"]]
    assert ranked["completions"][0][0]["content"] == "<motion_id_1024><motion_id_600><motion_id_1025>"


def test_listwise_of_annotations_with_another_codebook():
    prompt = Annotated("p0", "a man waves")
    for sample, codes in enumerate([(600,), (7,)]):
        prompt.candidates[sample] = Candidate(sample, codes, score=4.0 - sample, judge="k")
    (ranked,) = listwise([prompt], num_codes=1024)
    assert ranked["completions"] == [motion_message([600], 1024), motion_message([7], 1024)]


def test_listwise_of_messages_that_are_no_motions():
    with pytest.raises(
        ValueError, match="Expected motion text, which begins with a token such as <motion_id_512>, got"
    ):
        list(listwise([SCORED[0] | {"chosen": [{"role": "assistant", "content": "a motion"}]}]))


@pytest.mark.parametrize("splits", [False, True])
def test_nothing_left_says_why(splits):
    unsure = dataset([row(0, A, B, "skipped"), row(1, C, D, "negligibly better/unsure")])
    if splits:
        unsure = DatasetDict(test=Dataset.from_list(list(unsure), features=features(), split="test"))
    with pytest.raises(
        ValueError, match=r"left of 2 pairs.*left out: 4 of a motion that is neither good nor bad\. Take"
    ):
        unpaired(unsure)
    with pytest.raises(
        ValueError, match=r"left out: 1 with fewer than two .* 4 motions without a score, only compared"
    ):
        listwise(unsure)
    assert list(unpaired(list(ROWS[2:3]))) == []  # of rows, an iterator that is empty


def test_streams_stay_streams():
    stream = dataset(SCORED, "stream")
    for view in (preferred(stream), unpaired(stream), listwise(stream)):
        assert isinstance(view, IterableDataset)
