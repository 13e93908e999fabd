"""The column saved in Keras runs, in processes of their own: one backend is as good as another here."""

from pathlib import Path

import pytest
from corpus.running import in_keras

from frostline import judging

SCRIPT = """
import sys
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)
x = np.random.rand(64, 8).astype("float32")
y = x[:, :1]
body = [keras.Input((8,)), layers.Dense(16, activation="relu"), layers.BatchNormalization()]
body, head = keras.Sequential(body, name="body"), layers.Dense(1, name="head")
model = keras.Sequential([keras.Input((8,)), body, head], name="model")
model.compile("adam", "mse")
if sys.argv[1] == "early":
    model.save("early.keras")
    model.save_weights("early.weights.h5")
before = body.get_weights()
kept = keras.callbacks.ModelCheckpoint("kept.keras", monitor="loss", save_best_only=True)
model.fit(x, y, epochs=3, batch_size=16, verbose=0, callbacks=[kept] if sys.argv[1] == "callback" else [])
if sys.argv[1] == "whole":
    model.save("whole.keras")
if sys.argv[1] == "head":
    keras.Sequential([keras.Input((16,)), head]).save_weights("head.weights.h5")
if sys.argv[1] == "by hand":
    import h5py

    keras.Sequential([keras.Input((16,)), head]).save_weights("head.weights.h5")
    with h5py.File("body.h5", "w") as file:
        for index, array in enumerate(body.get_weights()):
            file.create_dataset(f"body/{index}", shape=array.shape, dtype=array.dtype)[...] = array
if sys.argv[1] == "first":
    keras.Sequential([keras.Input((16,)), head]).save_weights("head.weights.h5")
    np.savez("body.npz", *before)
"""


@pytest.mark.needs("keras", "jax")
@pytest.mark.parametrize(
    ("how", "severity", "states"),
    [
        ("whole", None, {"same"}),
        ("callback", None, {"same", "older"}),
        ("head", "warning", {"same", "missing"}),
        ("by hand", None, {"same"}),
        ("first", "warning", {"same", "missing"}),
        ("early", "note", {"same", "older"}),
    ],
)
def test_what_a_model_is_written_to(how: str, severity: str | None, states: set[str], tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SCRIPT)
    done = in_keras("jax", ["-m", "frostline", "run", "--quiet", "train.py", how], tmp_path)
    assert done.returncode == 0, done.stderr
    record = judging.load(tmp_path / ".frostline.json")
    assert record.run.faults == []
    assert {row.saved.state for row in record.tensors if row.saved is not None} <= states
    assert any(row.saved is not None for row in record.tensors)
    assert [finding.severity for finding in record.findings if finding.code.startswith("S")] == (
        [severity] if severity else []
    )
