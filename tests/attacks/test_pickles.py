"""Evil pickles: nothing they name is run or imported; real unpickling, which does run it, shows each to be live."""
# ruff: noqa: E501  (a table of bytes is read line by line)

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from attack_files import read_everything, refusal, refused_in_little_memory

from frostline import checkpoints
from frostline.checkpoints.pickle.machine import Machine
from frostline.checkpoints.pickle.walk import Walk
from frostline.errors import CheckpointError

COMMAND = b"S'touch canary'\n"
CODE = b'S\'__import__("os").system("touch canary")\'\n'

# Each body runs `touch canary` under pickle.load of this Python.
GADGETS = {
    "reduce": b"cos\nsystem\n(" + COMMAND + b"tR.",
    "reduce, posix": b"cposix\nsystem\n(" + COMMAND + b"tR.",
    "instance": b"(" + COMMAND + b"ios\nsystem\n.",
    "object": b"(cos\nsystem\n" + COMMAND + b"o.",
    "protocol 2": b"\x80\x02cos\nsystem\nX\x0c\0\0\0touch canary\x85R.",
    "names from the stack": b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x0ctouch canary\x85R.",
    "dotted name": b"\x80\x04\x8c\x06shutil\x8c\x09os.system\x93\x8c\x0ctouch canary\x85R.",
    "names from the memo": b"\x80\x04\x8c\x02os\x940\x8c\x06system\x940h\0h\1\x93\x8c\x0ctouch canary\x85R.",
    "eval": b"c__builtin__\neval\n(" + CODE + b"tR.",
    "exec": b"cbuiltins\nexec\n(" + CODE + b"tR.",
    "subprocess": b"csubprocess\ncall\n((lS'touch'\naS'canary'\natR.",
    "import and getattr": b"cbuiltins\ngetattr\n(cimportlib\nimport_module\n(S'os'\ntRS'system'\ntR("
    + COMMAND
    + b"tR.",
    "partial": b"cfunctools\npartial\n(cos\nsystem\n" + COMMAND + b"tR)R.",
    "set state": b"ctypes\nSimpleNamespace\n)\x81}(S'__setstate__'\ncos\nsystem\nub" + COMMAND + b"b.",
    "thrown away": b"cos\nsystem\n(" + COMMAND + b"tR0}.",
    "as a key": b"}cos\nsystem\n(" + COMMAND + b"tRK\x01s.",
    "in a tuple": b"(K\x01cos\nsystem\n(" + COMMAND + b"tRt.",
    "default factory": b"ccollections\ndefaultdict\n(cbuiltins\nlist\ncos\nsystem\n(" + COMMAND + b"tR0tR.",
    "mapped": b"ccollections\ndeque\n(cbuiltins\nmap\n(cos\nsystem\n(l" + COMMAND + b"atRtR.",
    "profile": b"cprofile\nrun\n(" + CODE + b"tR.",
    "run by name": b"crunpy\n_run_code\n(cbuiltins\ncompile\n(" + CODE + b"S''\nS'exec'\ntR}tR.",
    "pickle in a pickle": b"cpickle\nloads\n(cbuiltins\nbytes\n(S'cos\\nsystem\\n(S\"touch canary\"\\ntR.'\nS'latin1'\ntRtR.",
    "code object": b"ctypes\nFunctionType\n(cbuiltins\ncompile\n(" + CODE + b"S''\nS'exec'\ntR}tR)R.",
}


def archive(pickle: bytes) -> bytes:
    """A pickle as torch packs it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("archive/data.pkl", pickle)
        file.writestr("archive/byteorder", "little")
        file.writestr("archive/data/0", bytes(16))
        file.writestr("archive/version", "3\n")
    return buffer.getvalue()


STREAM = (
    b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03."
    b"\x80\x02}(X\x10\0\0\0protocol_versionM\xe9\x03X\r\0\0\0little_endian\x88u."
)
CONTAINERS = {
    "bare": lambda pickle: pickle,
    "archive": archive,
    "stream": lambda pickle: STREAM + pickle + b"\x80\x02].",
    "list of storages": lambda pickle: STREAM + b"\x80\x02}." + pickle,
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("gadget", GADGETS)
def test_nothing_runs(gadget: str, container: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.pt").write_bytes(CONTAINERS[container](GADGETS[gadget]))
    refusal(tmp_path / "evil.pt")
    assert [path.name for path in tmp_path.iterdir()] == ["evil.pt"]


@pytest.mark.parametrize("gadget", GADGETS)
def test_every_gadget_is_live(gadget: str, tmp_path: Path) -> None:
    (tmp_path / "evil.pkl").write_bytes(GADGETS[gadget])
    unpickle = "import pickle; pickle.load(open('evil.pkl', 'rb'), encoding='latin1')"
    subprocess.run([sys.executable, "-c", unpickle], cwd=tmp_path, capture_output=True, timeout=60)
    assert (tmp_path / "canary").exists()


TENSOR = (
    b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x04tQ"
    b"K\x00K\x04\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtR"
)


def beside_a_tensor(body: bytes) -> bytes:
    """A state dict with one sound tensor `w` and one other value."""
    return archive(b"\x80\x02}(X\x01\0\0\0w" + TENSOR + b"X\x01\0\0\0x" + body + b"u.")


def test_the_tensor_of_these_tests_is_sound(tmp_path: Path) -> None:
    (tmp_path / "w.pt").write_bytes(beside_a_tensor(b"K\x01"))
    with checkpoints.open(tmp_path / "w.pt") as found:
        assert found.tensors["w"].shape == (4,)


@pytest.mark.parametrize("gadget", GADGETS)
def test_a_sound_tensor_is_no_disguise(gadget: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    body = GADGETS[gadget].removesuffix(b".").replace(b"\x80\x04", b"").replace(b"\x80\x02", b"")
    (tmp_path / "evil.pt").write_bytes(beside_a_tensor(body))
    assert "nothing was run" in refusal(tmp_path / "evil.pt")
    assert not (tmp_path / "canary").exists()


def test_a_module_that_nobody_knows_is_named_and_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "unheard_of.py").write_text("open('canary', 'w')\nclass Config: ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.pt").write_bytes(beside_a_tensor(b"cunheard_of\nConfig\n)R}X\x01\0\0\0aK\x01sb"))
    with checkpoints.open(tmp_path / "w.pt") as found:
        assert list(found.tensors) == ["w"]
        assert list(found.extras) == ["x"]
        assert found.extras["x"].startswith("not a tensor: names unheard_of.Config (")
    assert "unheard_of" not in sys.modules
    assert not (tmp_path / "canary").exists()


def laughs(doublings: int) -> bytes:
    """A list of two lists of two lists …: a small file, and more paths than atoms."""
    return b"\x80\x02]q\0" + b"".join(
        b"]q%b(h%bh%be" % (bytes([n + 1]), bytes([n]), bytes([n])) for n in range(doublings)
    ) + b"."  # fmt: skip


BAD = {
    "a cycle": (b"\x80\x02]q\0h\0a.", "nested too deep"),
    "a deep list": (b"\x80\x02" + b"]" * 1000 + b"a" * 999 + b".", "nested too deep"),
    "a million parentheses": (b"\x80\x02" + b"(" * 1_000_000, "ends inside its pickle"),
    "a deep tuple": (b"\x80\x02)" + b"\x85" * 1_000_000 + b".", "nested too deep"),
    "more paths than atoms": (laughs(100), "nested too deep or too often"),
    "an unknown instruction": (b"\x80\x02\xff.", "unknown pickle instruction 0xff"),
    "an extension": (b"\x80\x02\x82\x01.", "unknown pickle instruction"),
    "a buffer from outside": (b"\x80\x05\x97.", "unknown pickle instruction"),
    "an unknown protocol": (b"\x80\x02\x80\x09N.", "unknown protocol"),
    "an empty stack": (b"\x80\x02.", "not a sound pickle"),
    "a mark as a value": (b"\x80\x02(.", "not a sound pickle"),
    "an absent memo": (b"\x80\x02h\x05.", "not a sound pickle"),
    "a memo of nothing": (b"\x80\x02q\x05.", "not a sound pickle"),
    "a huge memo": (b"\x80\x02Np99999999999\n.", "not a sound pickle"),
    "a value of 4 GiB": (b"\x80\x02X\xff\xff\xff\xffabc.", "more than 536,870,912 bytes"),
    "a value of 2^63 bytes": (b"\x80\x04\x8d" + b"\xff" * 8 + b"abc.", "more than 536,870,912 bytes"),
    "an integer of 4 GiB": (b"\x80\x02\x8b\xff\xff\xff\x7f.", "more than 536,870,912 bytes"),
    "a long number in text": (b"\x80\x02I" + b"9" * 100_000 + b"\n.", "not a sound pickle"),
    "text that is not UTF-8": (b"\x80\x02X\x01\0\0\0\xff.", "not a sound pickle"),
    "a key without a value": (b"\x80\x02}(Nu.", "not a sound pickle"),
    "state for a number": (b"\x80\x02K\x01Nb.", "not a sound pickle"),
    "items for a number": (b"\x80\x02K\x01Na.", "not a sound pickle"),
    "names that are numbers": (b"\x80\x04K\x01K\x02\x93.", "not a sound pickle"),
    "a string without quotes": (b"\x80\x02Sabc\n.", "not a sound pickle"),
    "no end": (b"\x80\x02N", "ends inside its pickle"),
    "two names for one tensor": (
        archive(b"\x80\x02}(X\x01\0\0\0w" + TENSOR + b"X\x01\0\0\0w" + TENSOR + b"u."), "stands for two tensors"
    ),
    "a name of half a character": (archive(b"\x80\x02}V\\ud800\n" + TENSOR + b"s."), "not valid UTF-8"),
    "a tensor larger than its storage": (archive(b"\x80\x02" + TENSOR.replace(b"K\x04\x85", b"K\x05\x85") + b"."), "past the end"),
    "a tensor before its storage": (archive(b"\x80\x02" + TENSOR.replace(b"K\x00K", b"J\xff\xff\xff\xffK") + b"."), "no torch writes"),
    "a negative stride": (archive(b"\x80\x02" + TENSOR.replace(b"K\x01\x85", b"J\xff\xff\xff\xff\x85") + b"."), "no torch writes"),
    "a negative shape": (archive(b"\x80\x02" + TENSOR.replace(b"K\x04\x85", b"J\xff\xff\xff\xff\x85") + b"."), "no torch writes"),
    "four bytes spread over 4 TiB": (
        archive(b"\x80\x02" + TENSOR.replace(b"K\x04\x85K\x01\x85", b"\x8a\x06" + b"\0" * 5 + b"\x01\x85K\x00\x85") + b"."),
        "spreads 16 bytes over 4,398,046,511,104",
    ),
    "a storage that is absent": (archive(b"\x80\x02" + TENSOR.replace(b"\x000X", b"\x009X") + b"."), "lacks the storage"),
    "a storage that is no storage": (archive(b"\x80\x02" + TENSOR.replace(b"FloatStorage", b"Whatever") + b"."), "no torch writes"),
    "no storage at all": (archive(b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(NNNNNNtR."), "no torch writes"),
    "too few arguments": (archive(b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n)R."), "no torch writes"),
    "arguments that are no tuple": (archive(b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nK\x01R."), "no torch writes"),
    "a parameter inside itself": (
        archive(b"\x80\x02ctorch._utils\n_rebuild_parameter\n(]q\0h\0aNNtR."), "nested too deep"
    ),
    "two pickles": (archive(b"N.").replace(b"archive/version", b"arch/2/data.pkl"), "several pickles"),
    "storages listed twice": (STREAM + b"\x80\x02" + TENSOR.replace(b"cpuK\x04t", b"cpuK\x04Nt") + b".\x80\x02](X\x01\0\0\x000X\x01\0\0\x000e." + b"\x04" + bytes(7 + 16) + b"\x04" + bytes(23), "one twice"),
    "a storage longer than the file": (STREAM + b"\x80\x02" + TENSOR.replace(b"cpuK\x04t", b"cpuK\x04Nt") + b".\x80\x02]X\x01\0\0\x000a." + b"\xff" * 7 + b"\x7f" + bytes(16), "ends inside its storage"),
    "a storage of negative length": (STREAM + b"\x80\x02" + TENSOR.replace(b"cpuK\x04t", b"cpuK\x04Nt") + b".\x80\x02]X\x01\0\0\x000a." + b"\xff" * 8 + bytes(16), "ends inside its storage"),
    "a storage that is not listed": (STREAM + b"\x80\x02" + TENSOR.replace(b"cpuK\x04t", b"cpuK\x04Nt") + b".\x80\x02].", "lacks the storage"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD)
def test_each_lie_is_named(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "w.pt").write_bytes(content)
    assert message in refusal(tmp_path / "w.pt")


def test_work_is_bounded_by_the_size_of_the_pickle(tmp_path: Path) -> None:
    """A few hundred bytes name millions of paths, or long names on each: refused after about as much work as bytes."""

    def work(content: bytes) -> int:
        machine = Machine(io.BytesIO(content), "w.pt")
        machine.run()
        walk = Walk("w.pt", machine.taken)
        with pytest.raises(CheckpointError, match="too deep or too often"):
            walk.visit("", machine.value)
        return walk.work

    name = b"X" + (60_000).to_bytes(4, "little") + b"k" * 60_000 + b"q\x64"
    nested = b"\x80\x02" + name + b"0]q\0" + b"".join(
        b"}q%b(h\x64h%bK\1h%bu" % (bytes([n + 1]), bytes([n]), bytes([n])) for n in range(60)
    ) + b"."  # fmt: skip
    assert work(laughs(22)) < 50_000
    assert work(nested) < 120_000


def test_ten_million_steps(tmp_path: Path) -> None:
    (tmp_path / "w.pt").write_bytes(b"\x80\x02" + b"N" * 20_000_000)
    assert "more than 10,000,000 pickle steps" in refused_in_little_memory(tmp_path / "w.pt", seconds=120)


@pytest.mark.needs("torch")
@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_cut_anywhere(zipped: bool, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    state = {"a": torch.ones(3), "b": torch.zeros(2, 2).t()}
    torch.save(state, tmp_path / "whole.pt", _use_new_zipfile_serialization=zipped)
    whole = (tmp_path / "whole.pt").read_bytes()
    read_everything(tmp_path / "whole.pt")
    for length in range(0, len(whole), 1 if len(whole) < 2000 else 3):
        (tmp_path / "cut.pt").write_bytes(whole[:length])
        refusal(tmp_path / "cut.pt")
