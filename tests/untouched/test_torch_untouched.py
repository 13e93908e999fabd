"""The observer changes nothing: every bit and every printed line of a PyTorch script is that of a plain run.

``FROSTLINE_ALL=1`` takes the whole PyTorch corpus instead of the chosen scripts.
"""

import os
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from corpus.cases import load, trials
from corpus.running import prepare
from forked import alone, meddled, observed

pytestmark = pytest.mark.needs("torch")

CORPUS = Path(__file__).parents[2] / "corpus"
EVERYTHING = bool(os.environ.get("FROSTLINE_ALL"))
CHOSEN = (
    "compiled_model",
    "gan_toggles",
    "lightning_finetune",
    "mean_teacher",
    "momentum_contrast",
    "overflow_skips",
    "peft_adapter",
    "q_learning_hard",
    "schedule_free",
    "second_order",  # LBFGS
    "sparse_embeddings",
    "spectral_normalised",
    "step_in_backward",
    "weight_normalised",
)
"""Scripts in which a step is most easily disturbed: closures, scalers, hooks, projections, compiled code."""

OWN = sorted((Path(__file__).parent / "scripts").glob("*.py"))
SCRIPTS = [*OWN, *(CORPUS / f"clean/torch/{name}.py" for name in CHOSEN)]
if EVERYTHING:
    alone_in_process = [each for each in trials(load()) if each.case.framework == "torch" and each.case.processes == 1]
    SCRIPTS = [*OWN, *(each.script for each in alone_in_process if not each.case.missing())]

# Nothing can be told of this one: the model is never called as a module.
NOTHING_SEEN = {"functional_training"}


def named(script: Path) -> str:
    return f"{script.parent.parent.name}/{script.stem}"


@pytest.fixture(scope="module")
def pool():
    prepare()
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.mark.parametrize("script", SCRIPTS, ids=named)
def test_a_run_leaves_the_same_bits_with_and_without_frostline(script, pool):
    plain, watched = pool.submit(alone, script), pool.submit(observed, script, "--check-every", "1")
    assert plain.result().failure == ""
    assert plain.result().fingerprint, "the script ended without a fingerprint"
    expected = ["failure"] if script.stem in NOTHING_SEEN else []
    assert watched.result().differences(plain.result()) == expected


# The comparison itself: an observer that does touch must be seen, by the very state that it touched.

TOUCHABLE = CORPUS / "clean/torch/norm_trained.py"


def draw_from_torch(_optimizer):
    import torch

    torch.rand(1)


def draw_from_numpy(_optimizer):
    np.random.rand()


def draw_from_python(_optimizer):
    random.random()


def flip_a_weight(optimizer):
    flip(optimizer.param_groups[0]["params"][-1])


def flip_a_gradient(optimizer):
    flip(optimizer.param_groups[0]["params"][-1].grad)


def flip_momentum(optimizer):
    flip(next(iter(optimizer.state.values()))["momentum_buffer"])


def flip_a_statistic(_optimizer):
    import gc

    from torch import nn

    flip(next(each for each in gc.get_objects() if issubclass(type(each), nn.BatchNorm2d)).running_mean)


def add_a_group_entry(optimizer):
    optimizer.param_groups[0].setdefault("seen", True)


def print_something(_optimizer):
    print("step")


def touch_nothing(optimizer):
    optimizer.state_dict()


def flip(tensor):
    """Change the last bit of the first number."""
    import torch

    tensor.detach().flatten()[:1].view(torch.int32).bitwise_xor_(1)


@pytest.fixture(scope="module")
def untouched(pool):
    return pool.submit(alone, TOUCHABLE).result()


@pytest.mark.parametrize(
    ("meddler", "kind"),
    [
        (draw_from_torch, "torch"),
        (draw_from_numpy, "numpy"),
        (draw_from_python, "python"),
        (flip_a_weight, "weights"),
        (flip_a_gradient, "gradients"),
        (flip_momentum, "optimizers"),
        (flip_a_statistic, "buffers"),
        (add_a_group_entry, "optimizers"),
        (print_something, "output"),
    ],
)
def test_an_observer_that_touches_is_told_by_what_it_touched(meddler, kind, untouched):
    touched = meddled(TOUCHABLE, meddler)
    assert touched.failure == ""
    assert kind in touched.differences(untouched)


def test_an_observer_that_only_reads_makes_no_difference(untouched):
    assert meddled(TOUCHABLE, touch_nothing).differences(untouched) == []
