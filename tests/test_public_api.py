"""The public names: one lazy list that agrees with what type checkers see, and docstrings that say what callers need.

The rule for a public function, a class (its constructor) and a public method that overrides nothing:

    a docstring; `Args:` with exactly the parameters of the signature; a shape such as `[T, 22, 3]` for every array
    that goes in or out, and a unit; every exception it raises itself under `Raises:`.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

import atom_hf

ARRAY = re.compile(r"\b(Array|ArrayLike|ndarray|NDArray|Tensor|FloatTensor|LongTensor)\b")
SHAPE = re.compile(r"`\[[^`]*\]`|\bshape\b")  # "any shape" and "the same shape" say it, too
UNIT = re.compile(
    r"\b(metres?|seconds?|radians?|degrees?|fps|frames?|pixels?|codes?|tokens?|nats|probabilit(y|ies)|unitless|units?)\b"
)
ENTRY = re.compile(r"(?P<names>\*{0,2}\w+(, \*{0,2}\w+)*) \((?P<type>.*?)\): ")
# An instance of these is built from its fields, which are its parameters.
FIELD_BASES = {"NamedTuple", "TypedDict", "PretrainedConfig", "T5Config"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def problems(source: str, inherited: frozenset[str] = frozenset(), init: str = "") -> list[str]:
    """What the docstrings of a function or class lack; `inherited` names methods whose base documents them.

    `init` is the source of a constructor that a class has from a base of this package.
    """
    (node,) = ast.parse(textwrap.dedent(source)).body
    if isinstance(node, Function):
        return list(_function_problems(node, node.name))
    assert isinstance(node, ast.ClassDef)
    (constructor,) = ast.parse(textwrap.dedent(init)).body if init else (None,)
    return list(_class_problems(node, inherited, constructor))


def _function_problems(node: Function, label: str) -> Iterator[str]:
    returns = _text(node.returns)
    yield from _docstring_problems(label, ast.get_docstring(node), _parameters(node), returns, _raised([node]))


def _class_problems(node: ast.ClassDef, inherited: frozenset[str], init: ast.stmt | None) -> Iterator[str]:
    methods = {item.name: item for item in node.body if isinstance(item, Function)}
    parameters = {}
    if "__init__" in methods:
        parameters = _parameters(methods["__init__"])
    elif isinstance(init, Function):
        parameters = _parameters(init)
    elif _is_made_of_fields(node):
        parameters = {field.target.id: _text(field.annotation) for field in node.body if _is_field(field)}
    raised = _raised([methods[name] for name in ("__init__", "__post_init__") if name in methods])
    yield from _docstring_problems(node.name, ast.get_docstring(node), parameters, "", raised)
    for name, method in methods.items():
        if not name.startswith("_") and name not in inherited:
            yield from _function_problems(method, f"{node.name}.{name}")


def _docstring_problems(
    label: str, docstring: str | None, parameters: dict[str, str], returns: str, raised: set[str]
) -> Iterator[str]:
    if not docstring:
        yield f"{label} has no docstring"
        return
    sections = _sections(docstring)
    entries = _entries(sections.get("Args", ""))
    if missing := sorted(parameters.keys() - entries.keys()):
        yield f"{label}: Args: lacks {', '.join(missing)}"
    if unknown := sorted(entries.keys() - parameters.keys()):
        yield f"{label}: Args: names {', '.join(unknown)}, which the signature has not"
    arrays = [name for name in parameters.keys() & entries.keys() if ARRAY.search(parameters[name] + entries[name])]
    for name in sorted(arrays):
        if not SHAPE.search(entries[name]):
            yield f"{label}: no shape for the array {name}"
    if ARRAY.search(returns) and not SHAPE.search(sections.get("Returns", docstring)):
        yield f"{label}: no shape for the array it returns"
    if (arrays or ARRAY.search(returns)) and not UNIT.search(docstring):
        yield f"{label}: arrays but no unit"
    if unsaid := sorted(name for name in raised if name not in sections.get("Raises", "")):
        yield f"{label}: raises {', '.join(unsaid)}, which Raises: does not name"


def _sections(docstring: str) -> dict[str, str]:
    """`{"Args": ..., "Returns": ...}`: the indented text under each heading."""
    return dict(re.findall(r"^(\w+):\n((?:(?: {4}.*)?(?:\n|\Z))+)", docstring, flags=re.MULTILINE))


def _entries(section: str) -> dict[str, str]:
    """Name → type and text of each parameter; a line with four spaces of indent begins an entry."""
    entries = {}
    for block in re.split(r"\n(?=\S)", textwrap.dedent(section).strip()):
        if match := ENTRY.match(" ".join(block.split())):
            entries |= {name.strip("* "): block for name in match["names"].split(",")}
    return entries


def _raised(functions: list[Function]) -> set[str]:
    """Names of the exceptions that the functions raise themselves: `raise Name(...)`."""
    calls = [node.exc for function in functions for node in ast.walk(function) if isinstance(node, ast.Raise)]
    return {call.func.id for call in calls if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)}


def _parameters(node: Function) -> dict[str, str]:
    """Name → annotation."""
    given = [*node.args.posonlyargs, *node.args.args, node.args.vararg, *node.args.kwonlyargs, node.args.kwarg]
    return {item.arg: _text(item.annotation) for item in given if item and item.arg not in ("self", "cls")}


def _text(annotation: ast.expr | None) -> str:
    return "" if annotation is None else ast.unparse(annotation)


def _is_made_of_fields(node: ast.ClassDef) -> bool:
    decorators = {ast.unparse(item).partition("(")[0].rpartition(".")[2] for item in node.decorator_list}
    return "dataclass" in decorators or any(ast.unparse(base) in FIELD_BASES for base in node.bases)


def _is_field(item: ast.stmt) -> bool:
    if not isinstance(item, ast.AnnAssign) or "ClassVar" in ast.unparse(item.annotation):
        return False
    return not ast.unparse(item.target).startswith("_") and "init=False" not in _text(item.value)


@pytest.mark.parametrize("name", atom_hf.__all__)
def test_docstring(name: str) -> None:
    value = getattr(atom_hf, name)
    if not (inspect.isclass(value) or inspect.isfunction(value)):
        assert name.isupper(), "only constants, which cannot carry a docstring, go without one"
        return
    bases = value.__mro__[1:] if inspect.isclass(value) else ()
    inherited = frozenset(method for base in bases for method in vars(base))
    init = ""
    if inspect.isclass(value) and "__init__" not in vars(value):
        owner = next((base for base in bases if "__init__" in vars(base)), object)
        init = inspect.getsource(owner.__init__) if owner.__name__ == "OnlineTrainer" else ""
    assert problems(inspect.getsource(value), inherited, init) == []


def test_lists_agree() -> None:
    tree = ast.parse(Path(atom_hf.__file__).read_text(encoding="utf-8"))
    blocks = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    imports = [node for block in blocks for node in block.body if isinstance(node, ast.ImportFrom)]
    for_checkers = {(f"atom_hf.{node.module}", alias.name) for node in imports for alias in node.names}
    assert all(alias.asname in (None, alias.name) for node in imports for alias in node.names)
    assert for_checkers == {(module, name) for module, names in atom_hf._PUBLIC.items() for name in names}
    assert sorted(atom_hf.__all__) == sorted(name for names in atom_hf._PUBLIC.values() for name in names)


def test_dir_lists_every_name() -> None:
    assert set(atom_hf.__all__) <= set(dir(atom_hf))


def test_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(AttributeError, match="no name 'load_motoin'; did you mean 'load_motion'"):
        atom_hf.load_motoin  # noqa: B018 - the access itself raises


GOOD = '''
def speed(joints: Array, fps: float = 20.0, *, axis: int | None = None, **kwargs: Any) -> np.ndarray:
    """Speed of every joint.

    Args:
        joints (`Array`): positions `[T, 22, 3]` in metres,
            Y up.
        fps (`float`, *optional*, defaults to `float(20)`): frames per second.
        axis, kwargs (`int`, *optional*): see numpy.

    Returns:
        `np.ndarray`: metres per second, `[T-1, 22]`.

    Raises:
        ValueError: if there is one frame only.
    """
    if len(joints) < 2:
        raise ValueError("Expected two frames.")
'''


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("", "", None),
        (
            "fps (`float`",
            "rate (`float`",
            "speed: Args: lacks fps|speed: Args: names rate, which the signature has not",
        ),
        ("fps (`float`, *optional*, defaults to `float(20)`)", "fps", "speed: Args: lacks fps"),
        ("axis, kwargs", "axis", "speed: Args: lacks kwargs"),
        ("    Args:", "    Arguments:", "speed: Args: lacks axis, fps, joints, kwargs"),
        ("positions `[T, 22, 3]`", "positions", "speed: no shape for the array joints"),
        ("joints: Array", "joints: Any", None),
        (", `[T-1, 22]`", "", "speed: no shape for the array it returns"),
        ("        ValueError: if", "        TypeError: if", "speed: raises ValueError, which Raises: does not name"),
    ],
)
def test_checker_of_functions(old: str, new: str, problem: str | None) -> None:
    assert problems(GOOD.replace(old, new, 1)) == (problem.split("|") if problem else [])


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("def f(): ...", "f has no docstring"),
        ("class A: ...", "A has no docstring"),
        ('class A(ValueError):\n    """A."""', None),
        (
            'def f(x: np.ndarray) -> None:\n    """F.\n\n    Args:\n        x (`Array`): `[T]`.\n    """',
            "f: arrays but no unit",
        ),
        ('class A:\n    """A."""\n    def __init__(self, x: int) -> None: ...', "A: Args: lacks x"),
        ('@dataclass(frozen=True)\nclass A:\n    """A."""\n    x: int\n    y: ClassVar[int] = 0', "A: Args: lacks x"),
        ('class A(NamedTuple):\n    """A."""\n    x: int', "A: Args: lacks x"),
        ('class A(nn.Module):\n    """A."""\n    x: int', None),
        (
            'class A:\n    """A."""\n    def __post_init__(self): raise ValueError("no")',
            "A: raises ValueError, which Raises",
        ),
        ('class A:\n    """A."""\n    def f(self, x): ...', "A.f has no docstring"),
        ('class A:\n    """A."""\n    def f(self, x):\n        """F."""', "A.f: Args: lacks x"),
        ('class A:\n    """A."""\n    def forward(self, x): ...', None),
        (
            'class A:\n    """A."""\n    @property\n    def f(self) -> Tensor:\n        """Metres `[T]`."""',
            "A.f: arrays but no",
        ),
    ],
)
def test_checker_of_classes(source: str, problem: str | None) -> None:
    found = problems(source, inherited=frozenset({"forward"}))
    assert len(found) == (problem is not None)
    assert problem is None or found[0].startswith(problem)
