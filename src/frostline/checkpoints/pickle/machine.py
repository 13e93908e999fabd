"""A pickle stream turned into inert records: the machine has no instruction that imports or calls anything.

What a file names stays a name (``Global``), what it would call stays a record of the call (``Call``).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Any

from frostline.checkpoints.pickle.records import Call, Global, Items, Pairs, Persistent
from frostline.errors import CheckpointError

MOST_STEPS = 10_000_000
MOST_BYTES = 2**29
LARGEST_MEMO = 2**31


Built = Callable[[Call, io.BufferedIOBase], None]


class _Mark:
    pass


_MARK = _Mark()


class Machine:
    """Runs one pickle of a stream; make a new one for each.

    ``value`` is the object in the stream, ``taken`` the number of instructions that made it,
    ``named`` lists everything the pickle named, and ``persistents`` what it referred to, also what it threw away again.

    Args:
        stream: where the pickle starts; it is left right behind its end.
        where: the file's name, for messages.
        steps: how many instructions it may take.
        built: called with each object that was given its state, and the stream right behind that; it may read on.

    >>> machine = Machine(io.BytesIO(b"cos\\nsystem\\n(S'true'\\ntR."), "evil.pt")
    >>> str(machine.run().function)
    'os.system'
    """

    def __init__(
        self, stream: io.BufferedIOBase, where: str, steps: int = MOST_STEPS, built: Built | None = None
    ) -> None:
        self._stream, self._where, self._steps, self._built = stream, where, steps, built
        self._room = MOST_BYTES
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self.value: Any = None
        self.taken = 0
        self.named: list[Global] = []
        self.persistents: list[Persistent] = []

    def run(self) -> Any:
        """The object in the stream; CheckpointError for anything but a complete, sound pickle."""
        try:
            self.value = self._run()
            return self.value
        except (IndexError, KeyError, ValueError, TypeError, struct.error, AttributeError, OverflowError):
            raise self._bad("is not a sound pickle") from None

    def _run(self) -> Any:
        read, stop = self._stream.read, ord(".")
        for step in range(self._steps):
            code = read(1)
            if not code:
                raise self._bad("ends inside its pickle")
            if code[0] == stop:
                self.taken = step
                return self._pop()
            instruction = _INSTRUCTIONS[code[0]]
            if instruction is None:
                raise self._bad(f"holds the unknown pickle instruction 0x{code[0]:02x}")
            instruction(self)
        raise self._bad(f"takes more than {self._steps:,} pickle steps")

    def _bad(self, fact: str) -> CheckpointError:
        return CheckpointError(f"{self._where}: {fact}", "the file is damaged, or is no checkpoint")

    def _take(self, count: int) -> bytes:
        self._room -= count
        if self._room < 0:
            raise self._bad(f"holds more than {MOST_BYTES:,} bytes of pickled values")
        data = self._stream.read(count)
        if len(data) != count:
            raise self._bad("ends inside its pickle")
        return data

    def _line(self) -> bytes:
        line = self._stream.readline(self._room)
        self._room -= len(line)
        if not line.endswith(b"\n"):
            raise self._bad("ends inside its pickle")
        return line[:-1]

    def _pop(self) -> Any:
        value = self._stack.pop()
        if value is _MARK:
            raise ValueError("a mark is no value")
        return value

    def _top(self) -> Any:
        return self._stack[-1]

    def _since_mark(self) -> list[Any]:
        at = len(self._stack) - 1
        while self._stack[at] is not _MARK:
            at -= 1
            if at < 0:
                raise ValueError("no mark")
        values = self._stack[at + 1 :]
        del self._stack[at:]
        return values

    def push(self, value: Any) -> None:
        self._stack.append(value)

    def remember(self, index: int) -> None:
        if not 0 <= index < LARGEST_MEMO:
            raise ValueError("memo index")
        self._memo[index] = self._top()

    def recall(self, index: int) -> None:
        self.push(self._memo[index])

    def global_(self, module: Any, name: Any) -> None:
        if not (isinstance(module, str) and isinstance(name, str)):
            raise ValueError("a global needs two names")
        self.named.append(Global(module, name))
        self.push(self.named[-1])

    def call(self, function: Any, args: Any) -> None:
        if not isinstance(function, Global):
            function, args = Global("", type(function).__name__), (function, args)
        self.push(Call(function, args))

    def reduce(self) -> None:
        args = self._pop()
        self.call(self._pop(), args)

    def new_object(self) -> None:
        self.reduce()

    def new_object_with_keywords(self) -> None:
        keywords, args = self._pop(), self._pop()
        self.call(self._pop(), (args, keywords))

    def object_from_stack(self) -> None:
        values = self._since_mark()
        self.call(values[0], tuple(values[1:]))

    def instance(self) -> None:
        values = self._since_mark()
        self.global_line()
        self.call(self._pop(), tuple(values))

    def build(self) -> None:
        state, target = self._pop(), self._top()
        if isinstance(target, Call):
            target.state = state
            if self._built is not None:
                self._built(target, self._stream)
        else:
            raise ValueError("state for a plain value")

    def set_items(self, values: list[Any]) -> None:
        target = self._top()
        if len(values) % 2:
            raise ValueError("a key without a value")
        target.pairs.extend(zip(values[::2], values[1::2], strict=True))

    def set_item(self) -> None:
        value, key = self._pop(), self._pop()
        self.set_items([key, value])

    def append(self, values: list[Any]) -> None:
        self._top().items.extend(values)

    def append_one(self) -> None:
        self.append([self._pop()])

    def tuple_of(self, count: int) -> None:
        values = [self._pop() for _ in range(count)]
        self.push(tuple(reversed(values)))

    def dict_since_mark(self) -> None:
        values = self._since_mark()
        self.push(Pairs())
        self.set_items(values)

    def text(self, width: int) -> None:
        self.push(self._take(self.unsigned(width)).decode())

    def data(self, width: int) -> None:
        self.push(self._take(self.unsigned(width)))

    def latin(self, width: int) -> None:
        self.push(self._take(self.unsigned(width)).decode("latin-1"))

    def unsigned(self, width: int) -> int:
        return int.from_bytes(self._take(width), "little")

    def signed(self, width: int) -> int:
        return int.from_bytes(self._take(width), "little", signed=True)

    def integer_line(self) -> None:
        line = self._line()
        self.push({b"00": False, b"01": True}.get(line) if line in (b"00", b"01") else int(line))

    def string_line(self) -> None:
        line = self._line().strip()
        if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
            raise ValueError("a string without quotes")
        self.push(line[1:-1].decode("latin-1"))

    def global_line(self) -> None:
        module = self._line().decode()
        self.global_(module, self._line().decode())

    def global_from_stack(self) -> None:
        name = self._pop()
        self.global_(self._pop(), name)

    def protocol(self) -> None:
        if self.unsigned(1) > 5:
            raise self._bad("is a pickle of an unknown protocol")

    def persistent(self, identity: Any) -> None:
        self.persistents.append(Persistent(identity))
        self.push(self.persistents[-1])

    def duplicate(self) -> None:
        self.push(self._top())


def _table(instructions: dict[str, Callable[[Machine], Any]]) -> list[Callable[[Machine], Any] | None]:
    table: list[Callable[[Machine], Any] | None] = [None] * 256
    for code, instruction in instructions.items():
        table[ord(code)] = instruction
    return table


# Extension codes (0x82-0x84) and out-of-band buffers (0x97, 0x98) mean nothing without the writer's process.
_INSTRUCTIONS = _table(
    {
        "(": lambda m: m.push(_MARK),
        "0": lambda m: m._stack.pop(),
        "1": lambda m: m._since_mark(),
        "2": Machine.duplicate,
        "F": lambda m: m.push(float(m._line())),
        "I": Machine.integer_line,
        "J": lambda m: m.push(m.signed(4)),
        "K": lambda m: m.push(m.unsigned(1)),
        "L": lambda m: m.push(int(m._line().rstrip(b"L"))),
        "M": lambda m: m.push(m.unsigned(2)),
        "N": lambda m: m.push(None),
        "P": lambda m: m.persistent(m._line().decode()),
        "Q": lambda m: m.persistent(m._pop()),
        "R": Machine.reduce,
        "S": Machine.string_line,
        "T": lambda m: m.latin(4),
        "U": lambda m: m.latin(1),
        "V": lambda m: m.push(m._line().decode("raw-unicode-escape")),
        "X": lambda m: m.text(4),
        "a": Machine.append_one,
        "b": Machine.build,
        "c": Machine.global_line,
        "d": Machine.dict_since_mark,
        "}": lambda m: m.push(Pairs()),
        "e": lambda m: m.append(m._since_mark()),
        "g": lambda m: m.recall(int(m._line())),
        "h": lambda m: m.recall(m.unsigned(1)),
        "i": Machine.instance,
        "j": lambda m: m.recall(m.unsigned(4)),
        "l": lambda m: m.push(Items(m._since_mark())),
        "]": lambda m: m.push(Items()),
        "o": Machine.object_from_stack,
        "p": lambda m: m.remember(int(m._line())),
        "q": lambda m: m.remember(m.unsigned(1)),
        "r": lambda m: m.remember(m.unsigned(4)),
        "s": Machine.set_item,
        "t": lambda m: m.push(tuple(m._since_mark())),
        ")": lambda m: m.push(()),
        "u": lambda m: m.set_items(m._since_mark()),
        "G": lambda m: m.push(struct.unpack(">d", m._take(8))[0]),
        "B": lambda m: m.data(4),
        "C": lambda m: m.data(1),
        "\x80": Machine.protocol,
        "\x81": Machine.new_object,
        "\x85": lambda m: m.tuple_of(1),
        "\x86": lambda m: m.tuple_of(2),
        "\x87": lambda m: m.tuple_of(3),
        "\x88": lambda m: m.push(True),
        "\x89": lambda m: m.push(False),
        "\x8a": lambda m: m.push(m.signed(m.unsigned(1))),
        "\x8b": lambda m: m.push(m.signed(m.unsigned(4))),
        "\x8c": lambda m: m.text(1),
        "\x8d": lambda m: m.text(8),
        "\x8e": lambda m: m.data(8),
        "\x8f": lambda m: m.push(Items()),
        "\x90": lambda m: m.append(m._since_mark()),
        "\x91": lambda m: m.push(Items(m._since_mark())),
        "\x92": Machine.new_object_with_keywords,
        "\x93": Machine.global_from_stack,
        "\x94": lambda m: m.remember(len(m._memo)),
        "\x95": lambda m: m._take(8),
        "\x96": lambda m: m.data(8),
    }
)
