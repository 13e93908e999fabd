"""How each class of keras.layers is made and what it is given; a class that is not listed takes no arguments.

Shapes are those of one sample. The classes themselves are found by introspection, so a new one is tried, too.
"""

from __future__ import annotations

import importlib.util
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers

Options = Callable[[], dict[str, Any]]


@dataclass(frozen=True)
class Recipe:
    """Arguments, input and call of one class.

    Args:
        options: makes the arguments again each time, since they may hold layers.
        shape: of one sample; of each input where there are several.
        inputs: how many the call takes.
        integers: below this number; None for floats.
        words: the samples are strings.
        spread: pass the inputs one by one and not as a list.
        cell: it is a cell, which runs inside an RNN.
    """

    options: Options = dict
    shape: tuple[int, ...] = (6, 4)
    inputs: int = 1
    integers: int | None = None
    words: bool = False
    spread: bool = False
    cell: bool = False


def classes() -> dict[str, type[Any]]:
    """Every class of keras.layers by its first name; other names of the same class are dropped."""
    found: dict[type[Any], str] = {}
    for name in sorted(dir(layers)):
        value = getattr(layers, name)
        if isinstance(value, type) and issubclass(value, layers.Layer):
            found.setdefault(value, name)
    return {name: kind for kind, name in found.items()}


def recipe(name: str) -> Recipe:
    """The recipe of a class, or one derived from its name."""
    if name in RECIPES:
        return RECIPES[name]
    for pattern, shape, options in FAMILIES:
        if re.fullmatch(pattern, name):
            dimensions = {"1D": (8, 2), "2D": (8, 8, 3), "3D": (4, 4, 4, 2)}
            return Recipe(options, shape or dimensions[re.findall(r"\dD", name)[0]])
    return Recipe()


def made(name: str, /, **more: Any) -> Any:
    """A layer of the class, with the arguments of its recipe."""
    return classes()[name](**recipe(name).options(), **more)


def _conv() -> dict[str, Any]:
    return {"filters": 3, "kernel_size": 2}


IMAGE = (8, 8, 3)
FAMILIES: tuple[tuple[str, tuple[int, ...] | None, Options], ...] = (
    (r"Conv\dD(Transpose)?", None, _conv),
    (r"SeparableConv\dD", None, _conv),
    (r"DepthwiseConv\dD", None, lambda: {"kernel_size": 2}),
    (r"Adaptive\w+", None, lambda: {"output_size": 2}),
    (r"(Average|Max)Pool(ing)?\dD", None, lambda: {"pool_size": 2}),
    (r"SpatialDropout\dD", None, lambda: {"rate": 0.5}),
    (r"\w*\dD", None, dict),
)

FACTORS = (
    *("RandomBrightness", "RandomContrast", "RandomHue", "RandomRotation", "RandomSaturation", "RandomSharpness"),
    *("RandomColorDegeneration", "RandomGrayscale", "RandomInvert", "RandomGaussianBlur", "RandomElasticTransform"),
    *("RandomErasing", "RandomPerspective"),
)
IMAGES = (
    *("AugMix", "AutoContrast", "Equalization", "RandAugment", "RandomFlip", "RandomColorJitter", "RandomShear"),
    *("Solarization", "ContrastLimitedAdaptiveHistogramEqualization", "CutMix", "MixUp"),
)
_merge = {name: Recipe(inputs=2) for name in ("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply")}
_factor = {name: Recipe(lambda: {"factor": 0.5}, IMAGE) for name in FACTORS}
_plain_images = {name: Recipe(dict, IMAGE) for name in IMAGES}


def _jax_layer() -> dict[str, Any]:
    import jax.numpy as jnp

    def init(rng: Any, inputs: Any) -> dict[str, Any]:
        return {"w": jnp.ones((inputs.shape[-1], 3)) / 10, "b": jnp.zeros((3,))}

    return {"call_fn": lambda params, inputs: inputs @ params["w"] + params["b"], "init_fn": init}


def _flax_layer() -> dict[str, Any]:
    if importlib.util.find_spec("flax") is None:
        raise ModuleNotFoundError("flax is not installed here")
    import flax.linen

    return {"module": flax.linen.Dense(3)}


def _torch_module() -> dict[str, Any]:
    import torch

    return {"module": torch.nn.Linear(4, 3)}


def _saved_model() -> dict[str, Any]:
    inputs = keras.Input((6, 4))
    model = keras.Model(inputs, layers.Dense(3)(inputs))
    folder = tempfile.mkdtemp(prefix="saved-model-")
    model.export(folder, verbose=False)
    return {"filepath": folder}


RECIPES: dict[str, Recipe] = {
    **_merge,
    **_factor,
    **_plain_images,
    "Activation": Recipe(lambda: {"activation": "relu"}),
    "AdditiveAttention": Recipe(inputs=2),
    "AlphaDropout": Recipe(lambda: {"rate": 0.5}),
    "Attention": Recipe(lambda: {"use_scale": True, "score_mode": "concat"}, inputs=2),
    "Bidirectional": Recipe(lambda: {"layer": layers.LSTM(3)}),
    "CategoryEncoding": Recipe(lambda: {"num_tokens": 5}, (6,), integers=5),
    "CenterCrop": Recipe(lambda: {"height": 4, "width": 4}, IMAGE),
    "ConvLSTM1D": Recipe(_conv, (3, 8, 2)),
    "ConvLSTM2D": Recipe(_conv, (3, 8, 8, 2)),
    "ConvLSTM3D": Recipe(_conv, (2, 4, 4, 4, 2)),
    "Cropping2D": Recipe(lambda: {"cropping": 1}, IMAGE),
    "Dense": Recipe(lambda: {"units": 3}),
    "Discretization": Recipe(lambda: {"bin_boundaries": [0.3, 0.6]}),
    "Dot": Recipe(lambda: {"axes": 1}, inputs=2),
    "Dropout": Recipe(lambda: {"rate": 0.5}),
    "EinsumDense": Recipe(lambda: {"equation": "abc,cd->abd", "output_shape": (None, 3), "bias_axes": "d"}),
    "Embedding": Recipe(lambda: {"input_dim": 5, "output_dim": 3}, (6,), integers=5),
    "FlaxLayer": Recipe(_flax_layer),
    "GRU": Recipe(lambda: {"units": 3}),
    "GRUCell": Recipe(lambda: {"units": 3}, cell=True),
    "GaussianDropout": Recipe(lambda: {"rate": 0.5}),
    "GaussianNoise": Recipe(lambda: {"stddev": 0.5}),
    "GroupNormalization": Recipe(lambda: {"groups": 2}),
    "GroupQueryAttention": Recipe(
        lambda: {"head_dim": 2, "num_query_heads": 2, "num_key_value_heads": 1}, inputs=2, spread=True
    ),
    "HashedCrossing": Recipe(lambda: {"num_bins": 5}, (1,), inputs=2, integers=5),
    "Hashing": Recipe(lambda: {"num_bins": 5}, (6,), integers=5),
    "InputLayer": Recipe(lambda: {"shape": (6, 4)}),
    "IntegerLookup": Recipe(lambda: {"vocabulary": [1, 2, 3]}, (6,), integers=5),
    "JaxLayer": Recipe(_jax_layer),
    "LSTM": Recipe(lambda: {"units": 3}),
    "LSTMCell": Recipe(lambda: {"units": 3}, cell=True),
    "Lambda": Recipe(lambda: {"function": lambda x: x * 2}),
    "MaxNumBoundingBoxes": Recipe(lambda: {"max_number": 2}),
    "MelSpectrogram": Recipe(lambda: {"fft_length": 16, "sequence_stride": 8, "num_mel_bins": 4}, (64,)),
    "MultiHeadAttention": Recipe(lambda: {"num_heads": 2, "key_dim": 2}, inputs=2, spread=True),
    "Permute": Recipe(lambda: {"dims": (2, 1)}),
    "Pipeline": Recipe(lambda: {"layers": [layers.Dense(3), layers.Dense(2)]}),
    "RNN": Recipe(lambda: {"cell": layers.LSTMCell(3)}),
    "RandomCrop": Recipe(lambda: {"height": 4, "width": 4}, IMAGE),
    "RandomPosterization": Recipe(lambda: {"factor": 4}, IMAGE),
    "RandomTranslation": Recipe(lambda: {"height_factor": 0.2, "width_factor": 0.2}, IMAGE),
    "RandomZoom": Recipe(lambda: {"height_factor": 0.2}, IMAGE),
    "RepeatVector": Recipe(lambda: {"n": 2}, (4,)),
    "Rescaling": Recipe(lambda: {"scale": 2.0}),
    "Reshape": Recipe(lambda: {"target_shape": (24,)}),
    "Resizing": Recipe(lambda: {"height": 4, "width": 4}, IMAGE),
    "ReversibleEmbedding": Recipe(lambda: {"input_dim": 5, "output_dim": 3}, (6,), integers=5),
    "STFTSpectrogram": Recipe(lambda: {"frame_length": 16, "frame_step": 8, "fft_length": 16}, (64, 1)),
    "SimpleRNN": Recipe(lambda: {"units": 3}),
    "SimpleRNNCell": Recipe(lambda: {"units": 3}, cell=True),
    "SpectralNormalization": Recipe(lambda: {"layer": layers.Dense(3)}),
    "StackedRNNCells": Recipe(lambda: {"cells": [layers.LSTMCell(3), layers.GRUCell(2)]}, cell=True),
    "StringLookup": Recipe(lambda: {"vocabulary": ["a", "b"]}, (6,), words=True),
    "Subtract": Recipe(inputs=2),
    "TFSMLayer": Recipe(_saved_model),
    "TextVectorization": Recipe(lambda: {"vocabulary": ["a", "b"]}, (1,), words=True),
    "TimeDistributed": Recipe(lambda: {"layer": layers.Dense(3)}),
    "TorchModuleWrapper": Recipe(_torch_module),
    "Wrapper": Recipe(lambda: {"layer": layers.Dense(3)}),
}


def samples(recipe: Recipe, count: int, *, frames: int = 0) -> list[np.ndarray]:
    """Random inputs of the recipe's shape, with a leading axis of frames where it is asked for."""
    random = np.random.default_rng(0)
    shape = (count, *((frames,) if frames else ()), *recipe.shape)
    if recipe.words:
        return [random.choice(np.array(["a", "b", "c"]), shape)] * recipe.inputs
    if recipe.integers is not None:
        return [random.integers(0, recipe.integers, shape).astype("int32") for _ in range(recipe.inputs)]
    return [random.random(shape).astype("float32") for _ in range(recipe.inputs)]
