"""Files that flax itself writes, against what flax reads of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from frostline import checkpoints

serialization = pytest.importorskip("flax.serialization")
pytestmark = [pytest.mark.needs("flax"), pytest.mark.filterwarnings("ignore")]


def tree(changed: float = 0.0) -> dict[str, Any]:
    import jax.numpy as jnp

    kernel = np.arange(600, dtype=np.float32).reshape(20, 30)
    kernel[3, 4] += changed
    return {
        "params": {"dense": {"kernel": jnp.asarray(kernel), "bias": jnp.ones(30, jnp.bfloat16)}},
        "opt": [{"mu": np.zeros(3, np.int8)}, {"nu": np.ones((), np.float64)}, {"complex": 1 + 2j}],
        "step": 7,
        "name": "net",
    }


def leaves(value: Any, name: str = "") -> dict[str, Any]:
    """The arrays in what flax restores, by the keys that lead to them."""
    if isinstance(value, dict):
        return {below: array for key, each in value.items() for below, array in leaves(each, f"{name}.{key}").items()}
    return {name[1:]: value} if isinstance(value, np.ndarray | np.generic | complex) else {}


@pytest.mark.parametrize("whole", [True, False])
def test_every_array_is_what_flax_restores(whole: bool, tmp_path: Path, bytes_of: Any, monkeypatch: Any) -> None:
    """Whole, and in the chunks that flax cuts what is too large for msgpack into."""
    if not whole:
        monkeypatch.setattr(serialization, "MAX_CHUNK_SIZE", 1000)
    (tmp_path / "w.msgpack").write_bytes(serialization.to_bytes(tree()))
    theirs = leaves(serialization.msgpack_restore((tmp_path / "w.msgpack").read_bytes()))
    with checkpoints.open(tmp_path / "w.msgpack") as found:
        assert not [tensor.name for tensor in found.tensors.values() if tensor.unknown]
        for name, array in theirs.items():
            below = [tensor for key, tensor in found.tensors.items() if key == name or key.startswith(f"{name}.")]
            parts = [tensor for tensor in below if not tensor.note]  # the shape beside chunks is plain numbers
            assert b"".join(map(bytes_of, parts)) == np.asarray(array).tobytes(), name
            if len(parts) == 1:
                assert (parts[0].dtype, parts[0].shape) == (np.asarray(array).dtype.name, np.asarray(array).shape)
        assert len(theirs) == 5
        assert bytes_of(found.tensors["step"]) == (7).to_bytes(8, "little")


def test_one_changed_element(tmp_path: Path, call: Any) -> None:
    for name, changed in (("one", 0.0), ("other", 0.5)):
        (tmp_path / name).write_bytes(serialization.to_bytes(tree(changed)))
    found = call("diff", tmp_path / "one", tmp_path / "other")
    assert (found.status, "1 of 600" in found.out) == (1, True)
