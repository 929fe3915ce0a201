"""`atom-hf evaluate`: systems side by side: how good are their motions, and which is better?

atom-hf evaluate default --out report/                                           the model of the package
atom-hf evaluate base=default hot=default@temperature=1.2 --out report/          against each other
atom-hf evaluate real=HumanML3D/ ours=checkpoint/ theirs=generated/ --out report/
atom-hf evaluate theirs=generated/@fps=30 ours=checkpoint/ --prompts-file prompts.txt --out report/

A SYSTEM is name=what, or what alone:
  default, a checkpoint folder, or a Hub repository
                         a model, sampled on the prompts; @temperature=, top_k=, top_p=, max_frames=, revision=
  a folder               motions of any generator (.npy with joints [T, 22, 3] in metres or features [T, 263],
                         .bvh, .npz, .amc), with captions in x.txt beside x.npy, in captions.csv (name,caption,fps) or
                         in captions.jsonl; @fps= of .npy joints.
                         Or HumanML3D's layout (new_joint_vecs, texts, test.txt); @split=
  real=FOLDER            real motion, the first row, which FID compares with; its captions are the prompts
  real=synthesised       motions synthesised from the prompts' scenarios; the default for prompts of the grammar
  real=none              no row of real motion, and no measures that need it
The first system is what the others are tested against.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .loading import without_loading_bar
from .system_words import (
    DEFAULT,
    FOLDER_OPTIONS,
    MODEL_OPTIONS,
    NONE,
    REAL,
    SYNTHESISED,
    SystemWord,
    check_apart,
    check_places,
    parse_systems,
)

if TYPE_CHECKING:
    from ..evaluation.comparison import Case, System

_PROMPTS = 200
_PROTOCOLS = ("packed", "padded")


def add_parser(commands: Any) -> None:
    """Add the command to `atom-hf`.

    Args:
        commands: the subparsers of `argparse`.
    """
    parser = commands.add_parser(
        "evaluate",
        help="compare systems: event scores, R-precision, FID, physics, win rates",
        description="Compare text-to-motion systems, and write metrics.json, report.md, tables.tex and report.html.",
        epilog=__doc__.split("\n\n", 1)[1] if __doc__ else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("systems", nargs="+", metavar="SYSTEM", help="what to compare, see below")
    add("--out", type=Path, required=True, metavar="REPORT_DIR", help="folder for the report")
    add("--overwrite", action="store_true", help="replace the report that is in the folder")
    asked = parser.add_argument_group("what models are asked for")
    add = asked.add_argument
    add(
        "--prompts", type=int, metavar="N",
        help=f"so many prompts of the grammar's test split ({_PROMPTS}, unless real=FOLDER has captions)",
    )  # fmt: skip
    add("--prompts-file", "--prompts_file", type=Path, metavar="FILE", help="prompts, one a line, or .jsonl")
    add("--samples", type=int, default=4, help="motions for each prompt; several give MModality (4)")
    add("--batch-size", type=int, default=32, help="motions sampled at once (32)")
    measures = parser.add_argument_group("measures")
    add = measures.add_argument
    add(
        "--evaluator", default=DEFAULT, metavar="CHECKPOINT",
        help="text-motion evaluator: a folder, a Hub repository, an original finest.tar, default (the package's tiny "
        "one), or none",
    )  # fmt: skip
    add("--glove", type=Path, metavar="FOLDER", help="word vectors of an original evaluator")
    add("--evaluator-stats", type=Path, metavar="FOLDER", help="mean.npy and std.npy of an original evaluator")
    add(
        "--embedding", choices=_PROTOCOLS,
        help="how clips of different lengths are embedded: padded as published, or packed; padded for an original "
        "evaluator, else packed",
    )  # fmt: skip
    add("--replications", type=int, default=20, help="of the protocol (20, as published)")
    add("--regenerate", action="store_true", help="sample models anew in each replication, as published; slow")
    add("--batch-free", "--batch_free", action="store_true", help="R-precision without the noise of batches")
    add("--fps", type=float, help="frame rate of .npy joints in folders that do not say (20)")
    add("--seed", type=int, default=0, help="of prompts, sampling, shuffling and bootstraps (0)")
    add("--device", help="such as cuda or cpu; what there is without it")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Evaluate, write the report, and print its overview.

    Args:
        options (`argparse.Namespace`): the command's options.

    Returns:
        `int`: 0.

    Raises:
        ValueError: if a system, a prompt, a motion or an option is wrong; the message says which.
        OSError: if a checkpoint or file is not there, or the report's folder is not empty.
        ImportError: if torch and transformers are not installed.
    """
    real_word, words = parse_systems(options.systems)
    _check(options, words)
    from ..evaluation.comparison import check_folder, write_comparison

    check_apart(options.out, [*words, *([real_word] if real_word is not None else [])])
    check_folder(options.out, options.overwrite)
    real = _real_folder(real_word, options)
    asked, source = _asked(options, real)
    embedder = _embedder(options)  # before anything is sampled: its faults show at once
    synthesise = real is None and (real_word is None or real_word.what == SYNTHESISED)
    many = embedder is not None and (synthesise or real is not None)
    systems = _systems(words, asked, real, options, many)
    if synthesise:
        real = _synthesised(asked, systems, options.seed, wanted=real_word is not None)

    from atom_hf import __version__

    from ..evaluation.comparison import compare, overview
    from ..rewards import KinematicJudge

    comparison = compare(
        systems,
        real=real,
        judge=KinematicJudge(),
        embedder=embedder,
        replications=options.replications,
        batch_free=options.batch_free,
        regenerate=options.regenerate,
        seed=options.seed,
        made_with={"atom_hf": __version__, "prompts_from": source},
    )
    files = write_comparison(comparison, options.out, overwrite=options.overwrite)
    write = sys.stdout.write
    write(f"{overview(comparison).text()}\n")
    for note in comparison.notes:
        write(f"- {note}\n")
    write(f"\n{', '.join(path.name for path in files)} → {options.out}\n")
    return 0


def _check(options: argparse.Namespace, words: Sequence[SystemWord]) -> None:
    for name in ("samples", "replications", "batch_size"):
        if getattr(options, name) < 1:
            raise ValueError(f"Expected --{name.replace('_', '-')} of at least 1, got {getattr(options, name)}.")
    if options.seed < 0:
        raise ValueError(f"Expected --seed of at least 0, got {options.seed}.")
    if options.fps is not None and not 1 <= options.fps <= 1000:
        raise ValueError(f"Expected --fps from 1 to 1000, got {options.fps:g}.")
    if options.prompts is not None and options.prompts_file is not None:
        raise ValueError("--prompts and --prompts-file both say what models are asked for; leave one out.")
    if options.regenerate and all(word.is_folder for word in words):
        raise ValueError("--regenerate samples models anew, but all systems are folders of motions; leave it out.")
    check_places(words)


def _real_folder(word: SystemWord | None, options: argparse.Namespace) -> "System | None":
    """Real motion from disk."""
    if word is None or word.what in (SYNTHESISED, NONE):
        return None
    if not word.is_folder:
        raise ValueError(
            f"{REAL}={word.what}: expected a folder of real motion, {SYNTHESISED} or {NONE}; there is no such folder "
            "of motions."
        )
    from ..evaluation.comparison import read_system

    return read_system(word.what, REAL, **_folder_options(word, options))


def _folder_options(word: SystemWord, options: argparse.Namespace) -> dict[str, Any]:
    from ..motion.formats import is_humanml3d

    chosen = word.only(FOLDER_OPTIONS, "a folder of motions")
    if options.fps is not None and not is_humanml3d(word.what):
        chosen.setdefault("fps", options.fps)
    return chosen


def _asked(options: argparse.Namespace, real: "System | None") -> "tuple[list[Case], str]":
    """Prompts, and where they come from."""
    from ..evaluation.comparison import grammar_cases, read_cases

    if options.prompts_file is not None:
        return read_cases(options.prompts_file), options.prompts_file.name
    if real is not None and options.prompts is None:
        return [clip.case for clip in real.firsts], "captions of the real motion"
    count = _PROMPTS if options.prompts is None else options.prompts
    return grammar_cases(count, options.seed), f"the grammar's test split, seed {options.seed}"


def _systems(
    words: Sequence[SystemWord],
    asked: "Sequence[Case]",
    real: "System | None",
    options: argparse.Namespace,
    many: bool,
) -> "list[System]":
    """Read folders and sample models; a checkpoint that is there twice is loaded once."""
    from ..evaluation.comparison import check_clips, read_system

    # Names join what was made for these very captions; the grammar's prompts are numbered, as files often are.
    cases = {case.id: case for case in asked} if options.prompts_file is not None else {}
    cases |= {clip.case.id: clip.case for clip in (real.firsts if real else ())}
    names = [options.prompts_file.name] if options.prompts_file is not None else []
    source = " and ".join([*names, *(["the real motion"] if real is not None else [])])
    more: dict[str, Any] = {"cases": cases, "cases_from": source, "known": [*asked, *cases.values()]}
    folders = {}
    for word in words:  # what is quick to read first: its faults show before models take their time
        if word.is_folder:
            folders[word.name] = read_system(word.what, word.name, **more, **_folder_options(word, options))
        else:
            word.only(MODEL_OPTIONS, "a model")
    if many:
        check_clips([*folders.values(), *([real] if real is not None else [])])
    models: dict[tuple[str, Any], Any] = {}
    return [folders.get(word.name) or _sampled(word, asked, models, options) for word in words]


def _sampled(
    word: SystemWord, asked: "Sequence[Case]", models: dict[tuple[str, Any], Any], options: argparse.Namespace
) -> "System":
    import torch

    from ..assets import DEFAULT_MODEL
    from ..evaluation.comparison import sampled_system
    from ..evaluation.fingerprint import fingerprint_arrays
    from ..models import MotionGPTForPreference

    chosen: dict[str, Any] = dict(word.options)
    revision = chosen.pop("revision", None)
    key = (word.what, revision)
    without_loading_bar()
    if key not in models:
        source = DEFAULT_MODEL if word.what == DEFAULT else word.what
        more = {} if revision is None else {"revision": revision}
        loaded = MotionGPTForPreference.from_pretrained(source, dtype=torch.float32, **more)
        state = [part for pair in sorted(loaded.state_dict().items()) for part in pair]
        models[key] = loaded.to(_device(options)), fingerprint_arrays(state)
    model, digest = models[key]
    what = "the tiny model of atom_hf" if word.what == DEFAULT else Path(word.what).name or word.what
    defaults = {name: getattr(model.generation_config, name, None) for name in ("temperature", "top_k", "top_p")}
    made_with = {"what": what, "revision": revision, **defaults, **chosen, "sha256": digest}
    sys.stderr.write(f"{word.name}: {len(asked)} prompts, {options.samples} motions each\n")
    return sampled_system(
        word.name,
        model,
        asked,
        samples=options.samples,
        seed=options.seed,
        made_with=made_with,
        batch_size=options.batch_size,
        **chosen,
    )


def _synthesised(asked: "Sequence[Case]", systems: "Sequence[System]", seed: int, wanted: bool) -> "System | None":
    """Synthesised motions in the place of real ones; without being asked only where all prompts are understood."""
    from ..evaluation.comparison import synthesised_system

    models = any(system.generate is not None for system in systems)
    cases = asked if models else [clip.case for clip in systems[0].firsts]
    if not wanted and any(case.scenario is None for case in cases):
        return None
    return synthesised_system(cases, f"{REAL} ({SYNTHESISED})", seed)  # nobody should take it for motion capture


def _embedder(options: argparse.Namespace) -> Any:
    """The evaluator, or None."""
    if options.evaluator == NONE:
        return None
    from ..assets import DEFAULT_EVALUATOR
    from ..evaluation import ModelEmbedder

    source = DEFAULT_EVALUATOR if options.evaluator == DEFAULT else options.evaluator
    original = {"glove": options.glove, "stats": options.evaluator_stats}
    given = {name: path for name, path in original.items() if path is not None}
    without_loading_bar()
    return ModelEmbedder.from_pretrained(source, options.embedding, device=_device(options), **given)


def _device(options: argparse.Namespace) -> str:
    import torch

    return options.device or ("cuda" if torch.cuda.is_available() else "cpu")
