"""The whole protocol: against its parts, resumed, shared among processes, and with everything that can be wrong."""

import json
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from atom_hf.evaluation.distances import frechet_distance, frechet_statistics
from atom_hf.evaluation.diversity import diversity, multimodality
from atom_hf.evaluation.embeddings import Clips, Embeddings
from atom_hf.evaluation.fingerprint import fingerprint_arrays, fingerprint_files
from atom_hf.evaluation.model_embedder import ModelEmbedder
from atom_hf.evaluation.protocol import REAL_ROW, Evaluator, Protocol, Regenerated, evaluate_protocol, read_protocol
from atom_hf.evaluation.protocol_result import MetricSummary
from atom_hf.evaluation.published import PUBLISHED
from atom_hf.evaluation.retrieval import batch_free_r_precision, batches, matching_distance, r_precision

GOLDEN = Path(__file__).parent.parent / "golden"
SMALL = Protocol(batch_size=8, replications=4, diversity_times=20, mm_texts=5, mm_samples=6, mm_pairs=3)
TINY = Evaluator("tiny", "abc123")
N, D = 60, 6


def embeddings(seed: int = 0, noise: float = 0.5, n: int = N, dims: int = D, **more) -> Embeddings:
    text = np.random.default_rng(99).normal(size=(n, dims))
    rng = np.random.default_rng([seed, 7])
    return Embeddings(
        text + noise * rng.normal(size=(n, dims)),
        more.pop("text", text),
        samples=rng.normal(size=(7, 6, dims)) if more.pop("samples", False) else None,
        **more,
    )


def evaluate(real=None, systems=None, protocol=SMALL, **more):
    real = embeddings() if real is None else real
    return evaluate_protocol(real, systems or {}, protocol, **({"evaluator": TINY, "data": "test"} | more))


def values(result, row: str, metric: str) -> tuple[float, ...]:
    return result.row(row).metrics[metric].values


class FakeEmbedder:
    """Motions are their own embeddings; texts are looked up."""

    name, fingerprint = "fake", "f00"

    def __init__(self, text: np.ndarray) -> None:
        self.text, self.calls = text, 0

    def embed_motion(self, motions):
        self.calls += 1
        return np.stack([np.asarray(motion) for motion in motions])

    def embed_text(self, texts):
        return np.stack([self.text[int(text.split()[-1])] for text in texts])


def test_every_number_is_that_of_its_metric():
    """Replication i draws with the seed s + i: shuffling first, then Diversity, then MModality."""
    real, ours = embeddings(), embeddings(1, 0.9, samples=True)
    result = evaluate(real, {"ours": ours}, seed=40)
    assert [row.name for row in result.rows] == [REAL_ROW, "ours"] and result.seeds == (40, 41, 42, 43)
    for i in range(4):
        rng = np.random.default_rng(40 + i)
        order = rng.permutation(N)
        draws = rng.choice(N, 20, replace=False), rng.choice(N, 20, replace=False)
        expected = dict(zip(("R@1", "R@2", "R@3"), r_precision(ours.text, ours.motion, 8, order=order), strict=True))
        expected["MM-Dist"] = matching_distance(ours.text, ours.motion, order[:56])  # 7 batches of 8, 4 dropped
        texts = rng.choice(7, 5, replace=False)
        pairs = rng.choice(6, 3, replace=False), rng.choice(6, 3, replace=False)
        expected["MModality"] = multimodality(ours.samples[texts], draws=pairs)
        expected["FID"] = frechet_distance(frechet_statistics(real.motion), frechet_statistics(ours.motion))
        expected["Diversity"] = diversity(ours.motion, draws=draws)
        assert {name: metric.values[i] for name, metric in result.row("ours").metrics.items()} == expected
    assert list(expected) == list(result.row("ours").metrics)
    assert "MModality" not in result.rows[0].metrics and values(result, REAL_ROW, "FID") == pytest.approx([0] * 4)


def test_a_row_does_not_depend_on_other_rows():
    ours = embeddings(1)
    alone = evaluate(systems={"ours": ours}).row("ours")
    assert evaluate(systems={"x": embeddings(2), "ours": ours}).row("ours") == alone
    assert evaluate(systems={"ours": embeddings(1)}).row("ours") == alone  # deterministic
    assert evaluate(systems={"ours": ours}, seed=1).row("ours") != alone


def test_torch_gives_the_same_numbers():
    torch = pytest.importorskip("torch")
    real, ours = embeddings(), embeddings(1, samples=True)
    expected = evaluate(real, {"ours": ours})
    as_tensors = [
        Embeddings(*(None if x is None else torch.tensor(x) for x in (e.motion, e.text, None, e.samples)))
        for e in (real, ours)
    ]
    found = evaluate(as_tensors[0], {"ours": as_tensors[1]})
    for row, other in zip(expected.rows, found.rows, strict=True):
        assert row.fingerprint == other.fingerprint
        for name, metric in row.metrics.items():
            np.testing.assert_allclose(other.metrics[name].values, metric.values, rtol=1e-9, atol=1e-9)


def test_without_batches_no_clip_is_dropped_and_nothing_is_shuffled():
    real = embeddings()
    protocol = Protocol(**(vars(SMALL) | {"batch_free": True}))
    result = evaluate(real, protocol=protocol)
    shares = batch_free_r_precision(real.text, real.motion, 8)
    assert values(result, REAL_ROW, "R@2") == (shares[1],) * 4
    assert values(result, REAL_ROW, "MM-Dist") == (matching_distance(real.text, real.motion),) * 4
    assert len(set(values(result, REAL_ROW, "Diversity"))) == 4  # still drawn
    assert "pools of 8 without batches" in result.caption()
    assert Protocol.without_batches() == Protocol(batch_free=True)


def test_interval_agrees_with_the_original():
    expected = json.loads((GOLDEN / "e_metrics.json").read_text(encoding="utf-8"))["ci"]
    found = MetricSummary(tuple(expected["values"]))
    assert found.mean == pytest.approx(expected["mean"], rel=1e-9)
    assert found.interval == pytest.approx(expected["ci95"], rel=1e-9)


def test_published_protocol_is_that_of_the_original():
    said = json.loads((GOLDEN / "e_metrics.json").read_text(encoding="utf-8"))["protocol"]
    protocol = Protocol.published()
    assert (protocol.batch_size, protocol.replications) == (said["R_size"], said["replication_times"])
    assert protocol.diversity_times == said["diversity_times"]
    found = protocol.mm_texts, protocol.mm_samples, protocol.mm_pairs
    assert found == (said["mm_num_samples"], said["mm_num_repeats"], said["mm_num_times"])


def test_functions_are_called_with_the_seed_of_each_replication():
    seeds = []

    def generate(seed):
        seeds.append(seed)
        return embeddings(seed, 0.9)

    result = evaluate(systems={"ours": generate}, seed=5)
    assert seeds == [5, 6, 7, 8]
    assert len(set(values(result, "ours", "FID"))) == 4
    assert result.row("ours").regenerated and not result.rows[0].regenerated
    fixed = evaluate(systems={"ours": embeddings(6, 0.9)}, seed=5)
    assert values(fixed, "ours", "FID")[1] == values(result, "ours", "FID")[1]
    assert "for the same motions: real motion" in result.caption() and "motion, ours" in fixed.caption()


def test_real_motions_that_are_drawn_anew_are_compared_with_a_draw_of_their_own():
    result = evaluate(lambda seed: embeddings(seed), {"ours": lambda seed: Embeddings(embeddings(seed, 2).motion)})
    reference = frechet_statistics(embeddings(1_000_000).motion)
    expected = [frechet_distance(reference, frechet_statistics(embeddings(seed).motion)) for seed in range(4)]
    assert values(result, REAL_ROW, "FID") == pytest.approx(expected) and min(expected) > 0
    with pytest.raises(
        ValueError, match="ours: its motions are fixed, while the texts of the real ones are drawn anew"
    ):
        evaluate(lambda seed: embeddings(seed), {"ours": embeddings(1, text=None)})


def test_clips_are_embedded():
    expected = evaluate(embeddings(), {"ours": embeddings(1, samples=True)})
    real, ours = embeddings(), embeddings(1, samples=True)
    embedder = FakeEmbedder(real.text)
    captions = [f"motion number {i}" for i in range(N)]
    clips = Clips(list(real.motion), captions)
    found = evaluate(
        clips, {"ours": Clips(list(ours.motion), samples=list(map(list, ours.samples)))}, evaluator=embedder
    )
    assert [row.metrics for row in found.rows] == [row.metrics for row in expected.rows]
    assert found.evaluator == {"name": "fake", "fingerprint": "f00"} and embedder.calls == 3
    with pytest.raises(TypeError, match="clips need an evaluator with embed_motion and embed_text"):
        evaluate(clips)
    for wrong, error, message in (
        (Clips(clips.motions), ValueError, "real motion: captions are missing"),
        (Clips(clips.motions, [*captions[:-2], " ", None]), ValueError, "2 captions are missing: index 58, index 59"),
        (Clips(clips.motions, captions[1:]), ValueError, "expected 60 captions for as many motions, got 59"),
        (Clips(["a.npy"] * N, captions), TypeError, r"real motion: .* got texts; a path .* Clips\(…, fingerprint=…\)"),
        (Clips([[0.0]] * N, captions), TypeError, r"texts to hash, got list\. Or say .* Clips\(…, fingerprint"),
    ):
        with pytest.raises(error, match=message):
            evaluate(wrong, evaluator=embedder)


def test_texts_belong_to_motions_by_id():
    ids = [f"clip{i}" for i in range(N)]
    real, ours = embeddings(ids=ids), embeddings(1)
    expected = evaluate(real, {"ours": ours}).row("ours").metrics
    shuffle = np.random.default_rng(0).permutation(N)
    moved = Embeddings(ours.motion[shuffle], ids=[ids[i] for i in shuffle])
    found = evaluate(real, {"ours": moved}, Protocol(**(vars(SMALL) | {"batch_free": True}))).row("ours").metrics
    plain = evaluate(real, {"ours": ours}, Protocol(**(vars(SMALL) | {"batch_free": True}))).row("ours").metrics
    assert found["R@1"].mean == pytest.approx(plain["R@1"].mean) and plain["R@1"].mean > 0.5
    in_order = evaluate(real, {"ours": Embeddings(ours.motion, ids=ids)}).row("ours").metrics
    assert in_order == expected == evaluate(real, {"ours": Embeddings(ours.motion)}).row("ours").metrics
    with pytest.raises(ValueError, match="ours: 1 ids are not among the real clips: 'other'"):
        evaluate(real, {"ours": Embeddings(ours.motion, ids=[*ids[1:], "other"])})


def test_ids_may_be_numbers_and_arrays():
    names = [str(i) for i in range(N)]
    expected = evaluate(embeddings(ids=names), {"ours": embeddings(1, text=None, ids=names)})
    for ids in (range(N), np.arange(N)):
        assert evaluate(embeddings(ids=ids), {"ours": embeddings(1, text=None, ids=ids)}) == expected
    with pytest.raises(ValueError, match="ours: 1 ids are not among the real clips: '60'"):
        evaluate(embeddings(ids=range(N)), {"ours": embeddings(1, text=None, ids=np.arange(1, N + 1))})


def test_clips_may_be_arrays():
    real, ours = embeddings(), embeddings(1, samples=True)
    captions = [f"motion number {i}" for i in range(N)]
    plain = (
        Clips(list(real.motion), captions, range(N)),
        Clips(list(ours.motion), samples=list(map(list, ours.samples))),
    )
    arrays = Clips(real.motion, np.array(captions), np.arange(N)), Clips(ours.motion, samples=ours.samples)
    embedder = FakeEmbedder(real.text)
    expected, found = (evaluate(a, {"ours": b}, evaluator=embedder) for a, b in (plain, arrays))
    assert [row.metrics for row in found.rows] == [row.metrics for row in expected.rows]


def test_an_offset_that_all_rows_share_changes_no_rank():
    real, ours = embeddings(), embeddings(1, 0.9)
    expected = evaluate(real, {"ours": ours})
    moved = [Embeddings(each.motion + 1e7, each.text + 1e7) for each in (real, ours)]
    found = evaluate(moved[0], {"ours": moved[1]})
    for row, other in zip(expected.rows, found.rows, strict=True):
        for name, metric in row.metrics.items():
            assert other.metrics[name].values == pytest.approx(metric.values, rel=1e-5, abs=1e-6), name


@pytest.mark.parametrize("batch_free", [False, True])
def test_values_whose_squares_overflow_are_explained(batch_free):
    protocol = Protocol(**(vars(SMALL) | {"batch_free": batch_free}))
    real = embeddings()
    huge = Embeddings(real.motion * 1e200, real.text * 1e200)
    message = (
        r"of at most 1e\+40, but 60 of 60 clips have larger values, .* index 0, 1, 2, 3, 4, …\. Their squares overf"
    )
    with pytest.raises(ValueError, match="real motion: Expected motion embeddings " + message):
        evaluate(huge, protocol=protocol)
    with pytest.raises(ValueError, match="ours: Expected motion embeddings " + message):
        evaluate(real, {"ours": Embeddings(huge.motion)}, protocol)


@pytest.mark.parametrize(
    ("system", "message"),
    [
        (embeddings(1, n=50, text=None), "ours: expected 60 motions, one for each text of the real ones, got 50"),
        (embeddings(1, n=19), r"ours: the protocol needs at least 20 clips \(diversity_times\), got 19"),
        (embeddings(1, n=7), r"ours: the protocol needs at least 8 clips \(batch_size\), got 7"),
        (embeddings(1, dims=5), "ours: expected embeddings of 6 numbers as those of the real motions, got 5"),
        (embeddings(1, ids=["a"] * 2), "ours: expected 60 ids for as many motions, got 2"),
        (embeddings(1, ids=["a", "b"] * 30), "ours: 2 ids are there more than once: 'a', 'b'"),
        (Embeddings(embeddings().motion, embeddings(n=59).text), r"ours: .*\[59, 6\] and \[60, 6\]"),
        (Embeddings(embeddings().motion, samples=np.zeros((4, 6, D))), "5 texts with 6 motions each, got 4 with 6"),
        (
            Embeddings(embeddings().motion, samples=np.zeros((7, 6, 5))),
            "samples and motion embeddings of one evaluator",
        ),
    ],
)
def test_mistakes_are_explained(system, message):
    with pytest.raises(ValueError, match=message):
        evaluate(systems={"ours": system})


def test_wrong_arguments_are_explained():
    with pytest.raises(TypeError, match=r"ours: expected Embeddings, Clips, Regenerated or a function.*got ndarray"):
        evaluate(systems={"ours": embeddings().motion})
    with pytest.raises(TypeError, match="ours: expected Embeddings or Clips for a seed, got ndarray"):
        evaluate(systems={"ours": lambda seed: embeddings(seed).motion})
    with pytest.raises(ValueError, match="'real motion' is the name of the first row"):
        evaluate(systems={REAL_ROW: embeddings()})
    for name in ("", "  ", None):
        with pytest.raises(ValueError, match=f"Expected a name for each system, for its row, got {name!r}"):
            evaluate(systems={name: embeddings()})
    for seed in (-1, 0.5, None):
        with pytest.raises(ValueError, match=f"Expected seed as a whole number of at least 0, got {seed}"):
            evaluate(seed=seed)
    with pytest.raises(ValueError, match="0 <= rank < processes"):
        evaluate(shard=(2, 2))
    with pytest.raises(ValueError, match="Shards meet in a folder"):
        evaluate(shard=(0, 2))
    with pytest.raises(ValueError, match='"error" or "exclude", got \'drop\''):
        evaluate(non_finite="drop")
    with pytest.raises(ValueError, match="Expected replications of at least 1, got 0"):
        Protocol(replications=0)
    with pytest.raises(ValueError, match="mm_pairs of at most mm_samples, 30, got 31"):
        Protocol(mm_pairs=31)
    with pytest.raises(KeyError, match="No row 'x'; there are 'real motion'"):
        evaluate().row("x")


def test_values_that_are_not_finite_are_named_or_left_out():
    ids = [f"clip{i}" for i in range(N)]
    real, ours = embeddings(ids=ids), embeddings(1, 0.9, ids=ids, samples=True)
    ours.motion[[4, 20], 1] = np.nan, -np.inf
    message = r"ours: .* 2 of 60 clips have NaN or infinite values: index 4, 20\..*Their ids: clip4, clip20.*exclude"
    with pytest.raises(ValueError, match=message):
        evaluate(real, {"ours": ours})
    with pytest.warns(UserWarning, match="ours: 2 clips are left out, .*: clip4, clip20"):
        result = evaluate(real, {"ours": ours}, non_finite="exclude")
    assert result.row("ours").excluded == ("clip20", "clip4") and not result.comparable
    assert "Left out of ours, not finite: 2 clips (clip20, clip4)" in result.caption()
    rest = [i for i in range(N) if i not in (4, 20)]
    whole = evaluate(real, {"ours": Embeddings(ours.motion[rest], ours.text[rest], samples=ours.samples)})
    assert result.row("ours").metrics == whole.row("ours").metrics


def test_resumes_from_a_folder(tmp_path):
    calls = []

    def generate(seed):
        calls.append(seed)
        if seed == 2 and len(calls) == 3:
            raise RuntimeError("out of memory")
        return embeddings(seed, 0.9)

    ours = Regenerated(generate, "checkpoint 7")
    with pytest.raises(RuntimeError, match="out of memory"):
        evaluate(systems={"ours": ours}, folder=tmp_path)
    stored = {path.name for path in tmp_path.glob("ours-*/*")}
    assert stored == {"0000.json", "0001.json"}  # nothing half-written
    result = evaluate(systems={"ours": ours}, folder=tmp_path)
    assert calls == [0, 1, 2, 2, 3]
    assert result == evaluate(systems={"ours": ours}, folder=tmp_path) == evaluate(systems={"ours": ours})
    assert calls == [0, 1, 2, 2, 3, 0, 1, 2, 3]  # all from the folder, then all anew
    more = Protocol(**(vars(SMALL) | {"replications": 6}))
    assert evaluate(systems={"ours": ours}, protocol=more, folder=tmp_path).complete
    assert calls[9:] == [4, 5]
    with pytest.raises(ValueError, match=r"need to know what made them: ours: Regenerated\(…, fingerprint=…\)"):
        evaluate(systems={"ours": generate}, folder=tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"evaluator": Evaluator("tiny", "other")}, "evaluator fingerprint 'abc123' there, 'other' here"),
        ({"seed": 1}, "seed 0 there, 1 here"),
        ({"data": "train"}, "data 'test' there, 'train' here"),
        ({"protocol": Protocol(**(vars(SMALL) | {"batch_size": 9}))}, "batch_size 8 there, 9 here"),
        ({"real": embeddings(3)}, "reference '[0-9a-f]{64}' there, '[0-9a-f]{64}' here, fingerprint"),
    ],
)
def test_replications_of_something_else_are_no_resume(tmp_path, change, message):
    evaluate(folder=tmp_path)
    with pytest.raises(ValueError, match=f"0000.json was made from something else: {message}.*Use another folder"):
        evaluate(folder=tmp_path, **change)


def test_seeds_may_come_from_numpy(tmp_path):
    assert evaluate(seed=np.int64(3), folder=tmp_path) == evaluate(seed=3, folder=tmp_path)


def test_damaged_replications_are_named(tmp_path):
    evaluate(folder=tmp_path)
    path = next(tmp_path.glob("*/0002.json"))
    for damage in (
        path.read_text(encoding="utf-8")[:50],
        "[]",
        "{}",
        "[" * 100_000,
        '{"values": {"R@1": 1' + "0" * 400 + "}}",
        path.read_text(encoding="utf-8").replace('"replication": 2', '"replication": 3'),
    ):
        path.write_text(damage, encoding="utf-8")
        with pytest.raises(ValueError, match=r"0002.json holds no replication .*; remove it"):
            evaluate(folder=tmp_path)
    path.unlink()
    assert evaluate(folder=tmp_path).complete


def test_shards_meet_in_a_folder(tmp_path):
    systems = {"ours": Regenerated(lambda seed: embeddings(seed, 0.9), "x"), "a/b c": embeddings(2)}
    one = evaluate(systems=systems, folder=tmp_path, shard=(1, 3))
    assert one.seeds == (1,) and not one.complete and "Incomplete: 1 of 4 replications" in one.caption()
    evaluate(systems=systems, folder=tmp_path, shard=(0, 3))
    evaluate(systems=systems, folder=tmp_path, shard=(2, 3))
    expected = evaluate(systems=systems)
    assert evaluate(systems=systems, folder=tmp_path) == expected
    merged = read_protocol(tmp_path)
    assert merged.rows[0] == expected.rows[0] and merged.row("ours") == expected.row("ours")
    assert [row.name for row in merged.rows] == [REAL_ROW, "a/b c", "ours"]
    empty = evaluate(systems=systems, folder=tmp_path / "other", shard=(7, 8))
    assert empty.seeds == () and "0 replications" in empty.to_markdown() and json.loads(empty.to_json())


def test_two_processes(tmp_path):
    """The same script in two processes at once, as `accelerate launch` starts it."""
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\nimport numpy as np\n"
        "from atom_hf.evaluation.embeddings import Embeddings\n"
        "from atom_hf.evaluation.protocol import Evaluator, Protocol, evaluate_protocol\n"
        "rng = np.random.default_rng(0)\n"
        "text = rng.normal(size=(40, 4))\n"
        "real = Embeddings(text + rng.normal(size=(40, 4)), text)\n"
        "protocol = Protocol(batch_size=8, replications=5, diversity_times=20)\n"
        "shard = (int(sys.argv[1]), 2)\n"
        "evaluator = Evaluator('tiny')\n"
        "evaluate_protocol(real, {'ours': real}, protocol, evaluator=evaluator, folder=sys.argv[2], shard=shard)\n"
        "assert 'torch' not in sys.modules\n",
        encoding="utf-8",
    )
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {root!r}); exec(open(sys.argv.pop(1)).read())"]
    folder = tmp_path / "runs"
    both = [subprocess.Popen([*command, str(script), str(rank), str(folder)]) for rank in range(2)]
    assert [process.wait(timeout=60) for process in both] == [0, 0]
    result = read_protocol(folder)
    assert result.complete and result.seeds == (0, 1, 2, 3, 4)
    assert result.rows[0].metrics == result.row("ours").metrics  # the same motions


def test_rows_of_one_folder_have_to_agree(tmp_path):
    evaluate(folder=tmp_path)
    with pytest.raises(ValueError, match="holds no replications of real motions"):
        read_protocol(tmp_path / "nothing")
    other = tmp_path / "other"
    evaluate(systems={"ours": embeddings(1)}, folder=other, data="train")
    next(other.glob("ours-*")).rename(tmp_path / "ours-12345678")
    with pytest.raises(ValueError, match="holds rows of different data"):
        read_protocol(tmp_path)


def original_like(shift: float = 0.0) -> Embeddings:
    """512 numbers whose real row is like the published one in no metric but, for a large pool, shape."""
    rng = np.random.default_rng(0)
    text = rng.normal(size=(320, 512)).astype(np.float32)
    return Embeddings(text + np.float32(shift), text)


ORIGINAL = {"evaluator": Evaluator("t2m", "d00d"), "data": "humanml3d-test", "protocol": Protocol.published()}


@pytest.mark.filterwarnings("ignore:FID from")
def test_drift_of_the_real_row_is_told_of_the_original_evaluator_only(monkeypatch):
    with pytest.warns(
        UserWarning, match=r"differs from the published one: R@1 1\.000 instead of 0\.494, .*MM-Dist 0\.000"
    ):
        result = evaluate(original_like(), **ORIGINAL)
    assert result.comparable and "drifted from the published one: R@1 1.000" in result.to_markdown()
    for change in (
        {"evaluator": TINY},
        {"data": "humanml3d-val"},
        {"protocol": Protocol(embedding="packed", replications=2)},
        {"protocol": Protocol.without_batches()},
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", message="FID from")
            result = evaluate(original_like(), **(ORIGINAL | change))
        assert not result.comparable and not result.drift
    found = {name: metric.mean for name, metric in evaluate(original_like()).rows[0].metrics.items()}
    monkeypatch.setattr("atom_hf.evaluation.published.PUBLISHED", PUBLISHED | {"Real": found | {"Diversity": 32.0}})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message="FID from")
        assert not evaluate(original_like(), **ORIGINAL).drift


@pytest.mark.filterwarnings("ignore")
def test_published_numbers_stand_beside_comparable_ones_only():
    result = evaluate(original_like(), **ORIGINAL)
    table = result.to_markdown(published=["MotionGPT", "DPO: IPO"])
    assert "| MotionGPT (published) | 0.405 | 0.567 | 0.658 | 4.027 | 3.495 | 0.178 | 9.393 |" in table
    assert "DPO: IPO (published) & $0.426$ & $0.595$" in result.to_latex(published=["DPO: IPO"])
    assert "Not comparable" not in table
    tiny = evaluate()
    assert "Not comparable with published numbers" in tiny.to_markdown() and "| tiny | R@1 ↑ |" in tiny.to_markdown()
    for render in (tiny.to_markdown, tiny.to_latex):
        with pytest.raises(
            ValueError, match=r"Numbers of the evaluator 'tiny' on 'test' .* never set beside published"
        ):
            render(published=["MotionGPT"])
    with pytest.raises(ValueError, match="No published row 'MDM'; there are Real, MotionGPT"):
        result.to_markdown(published=["MDM"])
    few = evaluate(original_like(), **(ORIGINAL | {"protocol": Protocol(replications=2)}))
    assert not few.comparable
    with pytest.raises(ValueError, match=r"The evaluator 't2m' makes embeddings of 512 numbers, got 6"):
        evaluate(**(ORIGINAL | {"protocol": SMALL}))


def test_tables_are_escaped():
    result = evaluate(systems={"a_b|50% & $x$\n{y}\\": embeddings(1, samples=True)})
    markdown = result.to_markdown().splitlines()
    assert markdown[3].startswith(r"| a\_b\|50% &amp; \$x\$ \{y\}\\ | 0.")
    assert all(line.replace("\\|", "").count("|") == 9 for line in markdown[:4])
    latex = result.to_latex().splitlines()
    assert latex[0].startswith("% Evaluator tiny (abc123") and latex[1] == r"\begin{tabular}{lccccccc}"
    assert any(line.startswith(r"a\_b\textbar{}50\% \& \$x\$ \{y\}\textbackslash{} & $0.") for line in latex)
    assert r"$\pm" not in latex[2] and all(line.count(" & ") == 7 for line in (latex[3], latex[5], latex[6]))
    stored = json.loads(result.to_json())
    assert stored["rows"][0]["name"] == REAL_ROW and stored["evaluator"] == {"name": "tiny", "fingerprint": "abc123"}
    metric = result.rows[0].metrics["R@1"]
    assert stored["rows"][0]["metrics"]["R@1"] == {
        "mean": metric.mean, "interval_95": metric.interval, "values": list(metric.values)
    }  # fmt: skip
    assert stored["seeds"] == [0, 1, 2, 3] and stored["protocol"]["batch_size"] == 8 and not stored["comparable"]
    assert len(stored["statistics"]) == len(stored["reference"]) == 64


def test_fingerprints(tmp_path):
    array = np.arange(6, dtype=np.float32)
    first = fingerprint_arrays([array])
    assert first == fingerprint_arrays([array[::-1][::-1]]) == fingerprint_arrays([array.astype(">f4")])
    others = [
        [array.reshape(2, 3)], [array.astype(np.float64)], [array + 1], [array, None], ["array"], [array, ""],
        [array, "", ""],
    ]  # fmt: skip
    assert len({first, *map(fingerprint_arrays, others)}) == 8
    with pytest.raises(TypeError, match="numpy arrays, torch tensors or texts to hash, got list"):
        fingerprint_arrays([[1.0]])
    (tmp_path / "a").write_bytes(b"12")
    (tmp_path / "b").write_bytes(b"3")
    (tmp_path / "c").write_bytes(b"1")
    (tmp_path / "d").write_bytes(b"23")
    both = [fingerprint_files([tmp_path / x, tmp_path / y]) for x, y in ("ab", "cd", "ba")]
    assert len(set(both)) == 3


def test_a_model_says_who_it_is():
    torch = pytest.importorskip("torch")

    class Model(torch.nn.Linear):
        weights = "original"

        def describe(self, protocol):
            return {"evaluator": "folder/tiny", "weights": self.weights, "protocol": protocol}

        def embed_motion(self, motions, protocol):
            return protocol, motions

        def embed_text(self, texts):
            return texts

    torch.manual_seed(0)
    model, other = Model(2, 2), Model(2, 2)
    original = ModelEmbedder(model)
    assert (
        original.name == "t2m"
        and original.embed_motion([1]) == ("padded", [1])
        and original.embed_text(["a"]) == ["a"]
    )
    assert original.fingerprint != ModelEmbedder(other).fingerprint
    model.weights = "not the published evaluator"
    assert ModelEmbedder(model, "packed").name == "folder/tiny" and ModelEmbedder(model, name="mine").name == "mine"
    with pytest.raises(ValueError, match="'t2m' is the name of the original evaluator; these weights are others"):
        ModelEmbedder(model, name="t2m")
    with pytest.raises(ValueError, match="'folder/tiny' embeds as 'packed', but the protocol says 'padded'"):
        evaluate(evaluator=ModelEmbedder(model, "packed"))


def test_dropped_clips_are_those_behind_the_last_batch():
    order = np.random.default_rng(0).permutation(N)
    np.testing.assert_array_equal(batches(N, 8, order=order), order[:56])
