"""The formats that are read. A new one is a file with its ``FORMAT`` and a line here."""

from __future__ import annotations

from frostline.checkpoints.readers import flax, gguf, numpy, safetensors, tflite
from frostline.checkpoints.readers.containers import compressed, index, tar
from frostline.checkpoints.readers.format import Format
from frostline.checkpoints.readers.hdf5 import keras
from frostline.checkpoints.readers.hdf5 import reader as hdf5
from frostline.checkpoints.readers.onnx import model as onnx
from frostline.checkpoints.readers.tensorflow import checkpoint as tf_checkpoint
from frostline.checkpoints.readers.tensorflow import saved_model
from frostline.checkpoints.readers.torch import distributed as torch_distributed
from frostline.checkpoints.readers.torch import export as torch_export
from frostline.checkpoints.readers.torch import save as torch_save
from frostline.checkpoints.readers.zarr import reader as zarr

# The first that knows a file, an archive or a folder reads it.
FORMATS: tuple[Format, ...] = (
    gguf.FORMAT,
    safetensors.FORMAT,
    hdf5.FORMAT,
    torch_distributed.FORMAT,
    torch_save.FORMAT,
    torch_export.FORMAT,
    keras.FORMAT,
    numpy.FORMAT,  # after the other archives: it knows an empty one too
    tflite.FORMAT,
    saved_model.FORMAT,
    tf_checkpoint.FORMAT,
    onnx.FORMAT,
    flax.FORMAT,
    zarr.DATABASE,
    zarr.FORMAT,
    compressed.FORMAT,
    tar.FORMAT,
    index.FORMAT,  # last: any JSON file may be one
)
