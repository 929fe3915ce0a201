"""What a pickle written by `torch.save` describes, read by a machine that cannot call or import anything.

    {"state_dict": {"a": tensor}, "cfg": DictConfig(...)}
        →  {"state_dict": {"a": TensorClaim(Storage("0", float32, 6), float32, 0, (2, 3), (3, 1))}, "cfg": Placeholder}

A pickle is a program, and Python's unpickler looks its names up and calls what it finds. The machine here knows dicts
with names as keys, tuples, strings, integers and the few calls by which torch describes a tensor; it runs those by
itself, as data. Anything else (a class, a function, a list, bytes) is a `Placeholder`, whatever a file does with it.
"""

import io
import pickletools
from collections.abc import Callable
from typing import Any, NamedTuple

from .tensor_claims import (
    KNOWN_NAMES,
    ORDERED_DICT,
    PARAMETER,
    PARAMETER_WITH_STATE,
    STORAGES,
    TENSOR_V2,
    TENSOR_V3,
    Known,
    Placeholder,
    Storage,
    TensorClaim,
    TupleOfTuples,
    claimed_tensor,
)  # fmt: skip

MAX_BYTES = 2**26  # a description of MotionGPT's weights and optimizer takes less than one megabyte
_MAX_OPCODES = 1_000_000
_MAX_STACK = 2**16  # values waiting on one level; writers hand over thousands at a time
_MAX_MARKS = 1000  # levels
_MAX_TEXT = 1000


class Description(NamedTuple):
    """The root of a pickle, its storages by key, and whether it is plain: of dicts, values and dense tensors only.

    Only a plain one may be shown to torch, whose loader also allocates and hashes on a pickle's word.
    """

    root: Any
    storages: dict[str, Storage]
    plain: bool


_LIST, _VALUE = Placeholder("list"), Placeholder("value")


def read_inert(stream: io.BytesIO) -> Description:
    """Read one pickle, from where the stream stands to the pickle's end.

    Args:
        stream (`io.BytesIO`): at most `MAX_BYTES` of it should be given.

    Returns:
        `Description`: dicts (those entries that have a string as key), strings, integers, tuples, `TensorClaim`; and
        `Placeholder` for the rest.

    Raises:
        ValueError: if it is no pickle, or one that is far more complicated than a checkpoint's; broken ones may
            raise `IndexError`, `KeyError` and what `pickletools` raises.
    """
    machine = _Machine()
    for count, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
        if opcode.name == "STOP":
            return Description(machine.stack.pop(), machine.storages, machine.plain)
        step = _STEPS.get(opcode.name)
        if step is None:
            raise ValueError(f"its description uses {opcode.name}, which torch does not write")
        step(machine, argument)
        if count > _MAX_OPCODES or len(machine.stack) > _MAX_STACK or len(machine.levels) > _MAX_MARKS:
            raise ValueError("its description is far longer or deeper than a checkpoint's; it is broken or hostile")
    raise ValueError("its description has no end")


class _Machine:
    """The stack of a pickle, the outer levels that wait, what was memorised, and whether all was plain."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.levels: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.storages: dict[str, Storage] = {}
        self.plain = True

    def push_number(self, number: int) -> None:
        self.stack.append(number if -(2**63) <= number < 2**63 else _VALUE)

    def push_text(self, text: str) -> None:
        self.stack.append(text if len(text) <= _MAX_TEXT else _VALUE)

    def push_unhashed(self, _: Any) -> None:
        self.plain = False
        self.stack.append(_VALUE)

    def check_protocol(self, protocol: int) -> None:
        self.plain &= protocol == 2  # torch warns of others

    def nothing(self, _: Any) -> None:
        pass

    def mark(self, _: None) -> None:
        self.levels.append(self.stack)
        self.stack = []

    def pop_level(self, _: None = None) -> list[Any]:
        items, self.stack = self.stack, self.levels.pop()
        return items

    def pop(self, _: None) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self.pop_level()

    def duplicate(self, _: None) -> None:
        self.stack.append(self.stack[-1])

    def put(self, index: int) -> None:
        self.memo[index] = self.stack[-1]

    def memorise(self, _: None) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def get(self, index: int) -> None:
        self.stack.append(self.memo[index])

    def push_tuple(self, items: list[Any]) -> None:
        kinds = {type(item) for item in items}
        if TupleOfTuples in kinds:
            self.push_unhashed(None)
        else:
            self.stack.append(TupleOfTuples(items) if tuple in kinds else tuple(items))

    def push_tuple_of(self, count: int) -> None:
        items = [self.stack.pop() for _ in range(count)]
        self.push_tuple(items[::-1])

    def marked_tuple(self, _: None) -> None:
        self.push_tuple(self.pop_level())

    def marked_list(self, _: None) -> None:
        self.pop_level()
        self.stack.append(_LIST)

    def marked_set(self, _: None) -> None:
        self.pop_level()
        self.push_unhashed(None)

    def append(self, _: None) -> None:
        self.stack.pop()
        self._no_tensor_is_changed()

    def append_level(self, _: None) -> None:
        self.pop_level()
        self._no_tensor_is_changed()

    def push_dict(self, _: None) -> None:
        self.stack.append({})

    def marked_dict(self, _: None) -> None:
        items = self.pop_level()
        self.stack.append({})
        self._set(items)

    def set_item(self, _: None) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._set([key, value])

    def set_level(self, _: None) -> None:
        self._set(self.pop_level())

    def _set(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if len(items) % 2:
            raise ValueError("its description has a key without a value")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if type(key) is not str:
                self.plain &= type(key) is int  # other keys, tuples above all, may take for ever to hash
            elif type(target) is dict:
                target[key] = value
        self._no_tensor_is_changed()

    def name(self, module_and_name: str) -> None:
        module, _, name = module_and_name.partition(" ")
        self._name(module, name)

    def name_of_stack(self, _: None) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self._name(module, name)

    def _name(self, module: Any, name: Any) -> None:
        if type(module) is not str or type(name) is not str:
            raise ValueError("its description has a name that is no text")
        known = Known(module, name)
        if known in KNOWN_NAMES:
            self.stack.append(known)
        else:
            self.plain = False
            self.stack.append(Placeholder(f"{module}.{name}"[:200]))

    def call(self, _: None) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        self.stack.append(self._called(function, arguments))

    def call_with_keywords(self, _: None) -> None:
        self.stack.pop()
        self.plain = False
        self.call(None)

    def call_level(self, _: None) -> None:
        function, *arguments = self.pop_level()
        self.plain = False
        self.stack.append(self._called(function, tuple(arguments)))

    def call_name(self, module_and_name: str) -> None:
        arguments = self.pop_level()
        self.plain = False
        self.name(module_and_name)
        self.stack.append(self._called(self.stack.pop(), tuple(arguments)))

    def set_state(self, _: None) -> None:
        self.stack.pop()
        self._no_tensor_is_changed()

    def _no_tensor_is_changed(self) -> None:
        """States, items and attributes of what is no dict are dropped here; torch would apply some of them."""
        self.plain &= type(self.stack[-1]) is dict or self.stack[-1] is _LIST

    def persistent(self, _: None) -> None:
        match self.stack.pop():
            case ("storage", Known() as kind, str(key), str(), int(numel), *rest) if (
                kind in STORAGES and numel >= 0 and rest in ([], [None])
            ):
                storage = Storage(key, STORAGES[kind], numel)
                if self.storages.setdefault(key, storage) != storage:
                    raise ValueError("its description has two storages of the same name")
                self.stack.append(storage)
            case _:
                self.push_unhashed(None)

    def _called(self, function: Any, arguments: Any) -> Any:
        if function == ORDERED_DICT:
            self.plain &= arguments == ()
            return {}
        if function in (TENSOR_V2, TENSOR_V3):
            tensor = claimed_tensor(arguments, function == TENSOR_V3)
        elif function in (PARAMETER, PARAMETER_WITH_STATE):
            tensor = arguments[0] if isinstance(arguments, tuple) and arguments else None
            self.plain &= function == PARAMETER  # a state would set attributes of the parameter
        else:
            tensor = None
        if type(tensor) is TensorClaim:
            return tensor
        self.plain = False
        return Placeholder(".".join(function)) if type(function) in (Known, Placeholder) else _VALUE


def _pushing(value: Any) -> Callable[[_Machine, Any], None]:
    return lambda machine, _: machine.stack.append(value)


def _pushing_tuple_of(count: int) -> Callable[[_Machine, Any], None]:
    return lambda machine, _: machine.push_tuple_of(count)


def _steps() -> dict[str, Callable[[_Machine, Any], object]]:
    groups: dict[Callable[[_Machine, Any], object], str] = {
        _Machine.check_protocol: "PROTO",
        _Machine.nothing: "FRAME",
        _Machine.push_number: "INT BININT BININT1 BININT2 LONG LONG1 LONG4",
        _Machine.push_text: "STRING BINSTRING SHORT_BINSTRING UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8",
        _Machine.push_unhashed: "EMPTY_SET PERSID EXT1 EXT2 EXT4",
        _Machine.mark: "MARK",
        _Machine.pop: "POP",
        _Machine.pop_level: "POP_MARK",
        _Machine.duplicate: "DUP",
        _Machine.put: "PUT BINPUT LONG_BINPUT",
        _Machine.memorise: "MEMOIZE",
        _Machine.get: "GET BINGET LONG_BINGET",
        _Machine.marked_tuple: "TUPLE",
        _Machine.marked_list: "LIST",
        _Machine.marked_set: "FROZENSET",
        _Machine.append: "APPEND",
        _Machine.append_level: "APPENDS ADDITEMS",
        _Machine.push_dict: "EMPTY_DICT",
        _Machine.marked_dict: "DICT",
        _Machine.set_item: "SETITEM",
        _Machine.set_level: "SETITEMS",
        _Machine.name: "GLOBAL",
        _Machine.name_of_stack: "STACK_GLOBAL",
        _Machine.call: "REDUCE NEWOBJ",
        _Machine.call_with_keywords: "NEWOBJ_EX",
        _Machine.call_level: "OBJ",
        _Machine.call_name: "INST",
        _Machine.set_state: "BUILD",
        _Machine.persistent: "BINPERSID",
    }
    steps = {name: step for step, names in groups.items() for name in names.split()}
    steps |= {"NONE": _pushing(None), "NEWTRUE": _pushing(True), "NEWFALSE": _pushing(False)}
    steps |= {"EMPTY_LIST": _pushing(_LIST), "TUPLE1": _pushing_tuple_of(1)}
    steps |= {"EMPTY_TUPLE": _pushing(()), "TUPLE2": _pushing_tuple_of(2), "TUPLE3": _pushing_tuple_of(3)}
    for name in ("FLOAT", "BINFLOAT", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"):
        steps[name] = _pushing(_VALUE)
    return steps


_STEPS = _steps()
