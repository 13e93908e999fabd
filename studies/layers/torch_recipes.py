"""How each module of torch.nn is made and called; one that is not listed takes no arguments and one tensor."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

BATCH = 4
Inputs = Callable[[], tuple[Any, ...]]


@dataclass(frozen=True)
class Recipe:
    """Arguments, inputs of one call (a batch), and further arguments of the call."""

    options: Callable[[], dict[str, Any]] = dict
    inputs: Inputs = lambda: (torch.rand(BATCH, 6, 4),)
    call: Callable[[], dict[str, Any]] = dict


def modules() -> dict[str, type[nn.Module]]:
    """Every class of torch.nn by its first name; other names of the same class are dropped."""
    found: dict[type[nn.Module], str] = {}
    for name in sorted(dir(nn)):
        value = getattr(nn, name)
        if isinstance(value, type) and issubclass(value, nn.Module):
            found.setdefault(value, name)
    return {name: kind for kind, name in found.items()}


def recipe(name: str) -> Recipe:
    """The recipe of a module, or one derived from its name."""
    if name in RECIPES:
        return RECIPES[name]
    for pattern, options in FAMILIES:
        if re.fullmatch(pattern, name):
            return Recipe(options, _tensor(*SPACES[name[-2]]))
    dimensions = re.search(r"([123])d$", name)
    return Recipe(inputs=_tensor(*SPACES[dimensions[1]])) if dimensions else Recipe()


def made(name: str) -> nn.Module:
    """A module of the class, with the arguments of its recipe."""
    return modules()[name](**recipe(name).options())


def _tensor(*shape: int) -> Inputs:
    return lambda: (torch.rand(shape),)


def _tokens(*shape: int) -> Inputs:
    return lambda: (torch.randint(0, 5, shape),)


def _scores(target: Callable[[], Any]) -> Inputs:
    return lambda: (torch.rand(BATCH, 3, requires_grad=True), target())


def _classes() -> Any:
    return torch.randint(0, 3, (BATCH,))


def _weight() -> dict[str, Any]:
    return {"weight": torch.rand(3) + 0.5}


SPACES = {"1": (BATCH, 3, 8), "2": (BATCH, 3, 8, 8), "3": (BATCH, 3, 4, 4, 4)}
FAMILIES: tuple[tuple[str, Callable[[], dict[str, Any]]], ...] = (
    (r"Conv(Transpose)?\dd", lambda: {"in_channels": 3, "out_channels": 2, "kernel_size": 2}),
    (r"LazyConv(Transpose)?\dd", lambda: {"out_channels": 2, "kernel_size": 2}),
    (r"BatchNorm\dd", lambda: {"num_features": 3}),
    (r"InstanceNorm\dd", lambda: {"num_features": 3, "affine": True, "track_running_stats": True}),
    (r"LazyInstanceNorm\dd", lambda: {"affine": True, "track_running_stats": True}),
    (r"Adaptive\w+\dd", lambda: {"output_size": 2}),
    (r"(Avg|Max)Pool\dd", lambda: {"kernel_size": 2}),
    (r"LPPool\dd", lambda: {"norm_type": 2, "kernel_size": 2}),
    (r"FractionalMaxPool\dd", lambda: {"kernel_size": 2, "output_size": 2}),
    (r"ConstantPad\dd", lambda: {"padding": 1, "value": 0.0}),
    (r"\w+Pad\dd", lambda: {"padding": 1}),
    (r"MaxUnpool\dd", lambda: {"kernel_size": 2}),
)
_recurrent = Recipe(lambda: {"input_size": 4, "hidden_size": 3, "batch_first": True})
_cell = Recipe(lambda: {"input_size": 4, "hidden_size": 3}, _tensor(BATCH, 4))
_attention = {"d_model": 8, "nhead": 2, "dim_feedforward": 8, "batch_first": True}


def _pair(*shape: int) -> Inputs:
    return lambda: (torch.rand(shape), torch.rand(shape))


def _encoder() -> dict[str, Any]:
    return {"encoder_layer": nn.TransformerEncoderLayer(**_attention), "num_layers": 1}


def _decoder() -> dict[str, Any]:
    return {"decoder_layer": nn.TransformerDecoderLayer(**_attention), "num_layers": 1}


PAIRED = (
    *("CosineSimilarity", "HingeEmbeddingLoss", "HuberLoss", "KLDivLoss", "L1Loss", "MSELoss"),
    *("PairwiseDistance", "PoissonNLLLoss", "SmoothL1Loss", "SoftMarginLoss"),
)
RECIPES: dict[str, Recipe] = {
    "AdaptiveLogSoftmaxWithLoss": Recipe(
        lambda: {"in_features": 8, "n_classes": 10, "cutoffs": [4]},
        lambda: (torch.rand(BATCH, 8), torch.tensor([0, 3, 5, 9])),
    ),
    "BCELoss": Recipe(_weight, lambda: (torch.rand(BATCH, 3), torch.rand(BATCH, 3))),
    "BCEWithLogitsLoss": Recipe(_weight, lambda: (torch.rand(BATCH, 3), torch.rand(BATCH, 3))),
    "Bilinear": Recipe(lambda: {"in1_features": 4, "in2_features": 4, "out_features": 3}, _pair(BATCH, 4)),
    "CrossEntropyLoss": Recipe(_weight, _scores(_classes)),
    "Embedding": Recipe(lambda: {"num_embeddings": 5, "embedding_dim": 3}, _tokens(BATCH, 6)),
    "EmbeddingBag": Recipe(lambda: {"num_embeddings": 5, "embedding_dim": 3}, _tokens(BATCH, 6)),
    "GRU": _recurrent,
    "GRUCell": _cell,
    "GroupNorm": Recipe(lambda: {"num_groups": 2, "num_channels": 4}, _tensor(BATCH, 4, 6)),
    "LSTM": _recurrent,
    "LSTMCell": _cell,
    "LayerNorm": Recipe(lambda: {"normalized_shape": 4}),
    "LazyLinear": Recipe(lambda: {"out_features": 3}),
    "Linear": Recipe(lambda: {"in_features": 4, "out_features": 3}),
    "LinearCrossEntropyLoss": Recipe(
        lambda: {"in_features": 4, "num_classes": 3}, lambda: (torch.rand(BATCH, 4), _classes())
    ),
    "ModuleDict": Recipe(lambda: {"modules": {"a": nn.Linear(4, 3)}}),
    "ModuleList": Recipe(lambda: {"modules": [nn.Linear(4, 3)]}),
    "MultiLabelSoftMarginLoss": Recipe(_weight, _scores(lambda: torch.rand(BATCH, 3))),
    "MultiMarginLoss": Recipe(_weight, _scores(_classes)),
    "MultiheadAttention": Recipe(
        lambda: {"embed_dim": 8, "num_heads": 2, "batch_first": True}, lambda: (torch.rand(BATCH, 6, 8),) * 3
    ),
    "NLLLoss": Recipe(_weight, _scores(_classes)),
    "NLLLoss2d": Recipe(_weight, lambda: (torch.rand(BATCH, 3, 2, 2), torch.randint(0, 3, (BATCH, 2, 2)))),
    "ParameterDict": Recipe(lambda: {"parameters": {"a": nn.Parameter(torch.rand(3))}}),
    "ParameterList": Recipe(lambda: {"values": [nn.Parameter(torch.rand(3))]}),
    "RMSNorm": Recipe(lambda: {"normalized_shape": 4}),
    "RNN": _recurrent,
    "RNNBase": Recipe(lambda: {"mode": "LSTM", "input_size": 4, "hidden_size": 3}),
    "RNNCell": _cell,
    "RNNCellBase": Recipe(lambda: {"input_size": 4, "hidden_size": 3, "bias": True, "num_chunks": 1}),
    "Sequential": Recipe(dict, lambda: (torch.rand(BATCH, 6, 4),)),
    "SyncBatchNorm": Recipe(lambda: {"num_features": 3}, _tensor(*SPACES["2"])),
    "Transformer": Recipe(lambda: {**_attention, "num_encoder_layers": 1, "num_decoder_layers": 1}, _pair(BATCH, 6, 8)),
    "TransformerDecoder": Recipe(_decoder, _pair(BATCH, 6, 8)),
    "TransformerDecoderLayer": Recipe(lambda: dict(_attention), _pair(BATCH, 6, 8)),
    "TransformerEncoder": Recipe(_encoder, _tensor(BATCH, 6, 8)),
    "TransformerEncoderLayer": Recipe(lambda: dict(_attention), _tensor(BATCH, 6, 8)),
    # What follows owns nothing; it is made so that this is seen and not believed.
    "CTCLoss": Recipe(
        inputs=lambda: (torch.randn(6, BATCH, 5).log_softmax(2), torch.randint(1, 5, (BATCH, 3)), (6,) * 4, (3,) * 4)
    ),
    "ChannelShuffle": Recipe(lambda: {"groups": 2}, _tensor(BATCH, 4, 6, 6)),
    "CosineEmbeddingLoss": Recipe(inputs=lambda: (torch.rand(BATCH, 3), torch.rand(BATCH, 3), torch.ones(BATCH))),
    "CrossMapLRN2d": Recipe(lambda: {"size": 2}, _tensor(*SPACES["2"])),
    "DataParallel": Recipe(lambda: {"module": nn.Linear(4, 3)}),
    "Fold": Recipe(lambda: {"output_size": 4, "kernel_size": 2}, _tensor(BATCH, 8, 9)),
    "GaussianNLLLoss": Recipe(inputs=lambda: (*_pair(BATCH, 3)(), torch.ones(BATCH, 3))),
    "LocalResponseNorm": Recipe(lambda: {"size": 2}),
    "MarginRankingLoss": Recipe(inputs=lambda: (torch.rand(BATCH), torch.rand(BATCH), torch.ones(BATCH))),
    "MultiLabelMarginLoss": Recipe(inputs=_scores(lambda: torch.zeros(BATCH, 3, dtype=torch.long))),
    "PixelShuffle": Recipe(lambda: {"upscale_factor": 2}, _tensor(BATCH, 4, 4, 4)),
    "PixelUnshuffle": Recipe(lambda: {"downscale_factor": 2}, _tensor(BATCH, 4, 4, 4)),
    "Softmax2d": Recipe(inputs=_tensor(*SPACES["2"])),
    "Threshold": Recipe(lambda: {"threshold": 0.5, "value": 0.0}),
    "TripletMarginLoss": Recipe(inputs=lambda: (*_pair(BATCH, 3)(), torch.rand(BATCH, 3))),
    "TripletMarginWithDistanceLoss": Recipe(inputs=lambda: (*_pair(BATCH, 3)(), torch.rand(BATCH, 3))),
    "Unflatten": Recipe(lambda: {"dim": 1, "unflattened_size": (2, 3)}),
    "Unfold": Recipe(lambda: {"kernel_size": 2}, _tensor(*SPACES["2"])),
    "Upsample": Recipe(lambda: {"scale_factor": 2}),
    "UpsamplingBilinear2d": Recipe(lambda: {"scale_factor": 2}, _tensor(*SPACES["2"])),
    "UpsamplingNearest2d": Recipe(lambda: {"scale_factor": 2}, _tensor(*SPACES["2"])),
    **{
        name: Recipe(inputs=_pair(BATCH, 3))
        for name in [
            "CosineSimilarity",
            "HingeEmbeddingLoss",
            "HuberLoss",
            "KLDivLoss",
            "L1Loss",
            "MSELoss",
            "PairwiseDistance",
            "PoissonNLLLoss",
            "SmoothL1Loss",
            "SoftMarginLoss",
        ]
    },
}
_indices = {f"MaxUnpool{n}d": Recipe(lambda: {"kernel_size": 2}, lambda n=n: _pooled(n)) for n in "123"}


def _pooled(dimensions: str) -> tuple[Any, ...]:
    pool = getattr(nn, f"MaxPool{dimensions}d")(2, return_indices=True)
    return tuple(pool(torch.rand(SPACES[dimensions])))


RECIPES |= _indices
