"""An error that passes through a framework under observation is printed without a frame of frostline."""

import pytest

TORCH = """\
import torch
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.calls = torch.nn.Linear(2, 1), 0
    def forward(self, x):
        self.calls += 1
        if self.calls == 3:
            raise ValueError("the third call")
        return self.linear(x)
model = Model()
optimizer = torch.optim.LBFGS(model.parameters(), max_iter=2)
def closure():
    optimizer.zero_grad()
    loss = model(torch.ones(3, 2)).square().sum()
    loss.backward()
    return loss
try:
    for _ in range(5):
        optimizer.step(closure)
except ValueError as error:
    raise KeyError("outer") from error
"""

KERAS = """\
import os
os.environ["KERAS_BACKEND"] = "jax"
import keras, numpy
class Breaks(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        raise RuntimeError("in a callback")
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
try:
    model.fit(numpy.ones((4, 2)), numpy.ones((4, 1)), verbose=0, callbacks=[Breaks()])
except RuntimeError:
    raise KeyError("outer")
"""


def frames(stderr: str) -> list[str]:
    """The lines of a traceback, but for torch's own module calls, which go another way where hooks are set."""
    lines = stderr.splitlines()
    start = lines.index("Traceback (most recent call last):")
    located = [line for line in lines[start:] if line.startswith("  File ")]
    return [line for line in located if "torch/nn/modules/module.py" not in line] + [
        line for line in lines[start:] if not line.startswith(" ")
    ]


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(TORCH, marks=pytest.mark.needs("torch")),
        pytest.param(KERAS, marks=pytest.mark.needs("keras", "jax")),
    ],
)
def test_an_error_inside_training_has_the_frames_of_the_script_alone(script: str, shell) -> None:
    shell.write("train.py", script)
    shell.lean = True
    plain, observed = shell.plain("train.py"), shell.observed("train.py")
    assert (observed.status, observed.stdout) == (1, plain.stdout)
    assert frames(observed.stderr) == frames(plain.stderr)
    assert len(frames(plain.stderr)) > 6
    assert "/frostline/" not in observed.stderr
