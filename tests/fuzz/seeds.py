"""Sound files of each format, small, as bytes: what the fuzz targets mutate and the tests of cut files cut."""

from __future__ import annotations

import bz2
import functools
import gzip
import io
import json
import lzma
import struct
import tarfile
import tempfile
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np


def safetensors_seeds() -> list[bytes]:
    header = {
        "__metadata__": {"format": "pt"},
        "a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
        "b": {"dtype": "BF16", "shape": [3], "data_offsets": [16, 22]},
        "c": {"dtype": "F4", "shape": [2, 2], "data_offsets": [22, 24]},
    }
    text = json.dumps(header).encode()
    return [len(text).to_bytes(8, "little") + text + bytes(range(24))]


def npz_seeds() -> list[bytes]:
    seeds = []
    arrays = {"a": np.arange(6.0).reshape(2, 3), "f": np.asfortranarray(np.ones((2, 3), ">f4")), "s": np.int8(3)}
    for save in (np.savez, np.savez_compressed):
        buffer = io.BytesIO()
        save(buffer, **arrays)  # type: ignore[arg-type]
        seeds.append(buffer.getvalue())
    for array in (arrays["f"], np.array([{"w": np.ones(2)}, "text", 1], object), np.array([1.5, 2.5], object)):
        buffer = io.BytesIO()
        np.save(buffer, array)
        seeds.append(buffer.getvalue())
    return seeds


def _pickle_bodies() -> list[bytes]:
    storage = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x04%btQ"
    view = b"K\x00(K\x02K\x02t(K\x02K\x01t\x89ccollections\nOrderedDict\n)R"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + view + b"tR"
    parameter = b"ctorch._utils\n_rebuild_parameter\n(" + tensor + b"\x88Ntq\x01R"
    sparse = (
        b"ctorch._utils\n_rebuild_sparse_tensor\n(ctorch.serialization\n_get_layout\n(X\x10\0\0\0torch.sparse_cootR("
        + tensor + tensor + b"ctorch\nSize\n(K\x02K\x02t\x85R\x88ttR"
    )  # fmt: skip
    module = b"cmodule\nNet\n)\x81}(X\x0b\0\0\0_parameters}X\x01\0\0\0w" + parameter + b"sX\x08\0\0\0_modules}ub"
    return [b"\x80\x02}(X\x01\0\0\0t" + body + b"X\x01\0\0\0nI3\nu." for body in (tensor, parameter, sparse, module)]


def _wrapped_bodies() -> list[bytes]:
    """A tensor subclass with a plain attribute, a DTensor, a lazy conjugate, and a jax array."""
    tensor = _pickle_bodies()[0].removeprefix(b"\x80\x02}(X\x01\0\0\0t").removesuffix(b"X\x01\0\0\0nI3\nu.")
    wrapper = b"ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_wrapper_subclass\n"
    plain = wrapper + b"cmodule\nPacked\n(Nctorch\nfloat32\n(K\x02K\x02t(K\x02K\x01tK\0NN\x89t"
    packed = plain + b"}(X\x06\0\0\0packed" + tensor + b"X\x05\0\0\0scaleG?\xe0\0\0\0\0\0\0utR"
    spec = b"cspec\nDTensorSpec\n)\x81}X\x0a\0\0\0placements(cplacement\nShard\n)\x81}X\3\0\0\0dimK\0sbtsb"
    sharded = plain.replace(b"cmodule\nPacked", b"cmodule\nDTensor") + (
        b"}(X\x0d\0\0\0_local_tensor" + tensor + b"X\x05\0\0\0_spec" + spec + b"utR"
    )
    array = (
        b"cjax._src.array\n_reconstruct_array\n(NN(K\x01K\x02\x85cnumpy\ndtype\n(X\2\0\0\0f4\x89\x88tR"
        b"(K\x03X\1\0\0\0<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89c_codecs\nencode\n"
        b"(X\x08\0\0\0abcdefghX\x06\0\0\0latin1tRt}tR"
    )
    return [b"\x80\x02}(X\x01\0\0\0t" + body + b"u." for body in (packed, sharded, array)]


def torch_zip_seeds() -> list[bytes]:
    seeds = []
    for body in (*_pickle_bodies(), *_wrapped_bodies()):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as file:
            file.writestr("archive/data.pkl", body.replace(b"%b", b""))
            file.writestr("archive/byteorder", "little")
            file.writestr("archive/data/0", bytes(range(16)))
        seeds.append(buffer.getvalue())
    return seeds


def torch_stream_seeds() -> list[bytes]:
    head = (
        b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03."
        b"\x80\x02}(X\x10\0\0\0protocol_versionM\xe9\x03X\r\0\0\0little_endian\x88u."
    )
    tail = b"\x80\x02]X\x01\0\0\x000a." + (4).to_bytes(8, "little") + bytes(range(16))
    return [head + body.replace(b"%b", b"N") + tail for body in _pickle_bodies()]


def pt2_seeds() -> list[bytes]:
    def meta(path: str, kind: int, shape: list[int], stride: list[int]) -> dict[str, object]:
        sizes, strides = ([{"as_int": number} for number in parameters] for parameters in (shape, stride))
        tensor = {"dtype": kind, "sizes": sizes, "strides": strides, "storage_offset": {"as_int": 0}}
        return {"path_name": path, "is_param": True, "use_pickle": False, "tensor_meta": tensor}

    table = {"config": {"w": meta("weight_0", 7, [2, 2], [1, 2]), "v": meta("weight_0", 13, [3], [2])}}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("m/archive_format", "pt2")
        file.writestr("m/byteorder", "little")
        file.writestr("m/data/weights/weight_0", bytes(range(16)))
        file.writestr("m/data/weights/model_weights_config.json", json.dumps(table))
        file.writestr("m/data/constants/model_constants_config.json", '{"config": {}}')
    return [buffer.getvalue()]


def gguf_seeds() -> list[bytes]:
    return [_gguf(3, 8, "little"), _gguf(1, 4, "little"), _gguf(3, 8, "big")]


def _gguf(version: int, size: int, order: Literal["little", "big"]) -> bytes:
    def number(value: int, width: int = 4) -> bytes:
        return value.to_bytes(width, order)

    def count(value: int) -> bytes:
        return number(value, size)

    def text(value: bytes) -> bytes:
        return count(len(value)) + value

    pairs = text(b"general.alignment") + number(4) + number(32)
    pairs += text(b"tokens") + number(9) + number(8) + count(2) + text(b"a") + text(b"bc")
    plain = text(b"w") + number(2) + count(2) + count(2) + number(0) + number(0, 8)
    packed = text(b"q") + number(1) + count(32) + number(8) + number(32, 8)
    head = b"GGUF" + number(version) + count(2) + count(2) + pairs + plain + packed
    return head + bytes(-len(head) % 32) + bytes(range(96))


def hdf5_seeds() -> list[bytes]:
    import h5py

    seeds = []
    for libver in ("earliest", "latest"):
        buffer = io.BytesIO()
        with h5py.File(buffer, "w", libver=libver) as file:
            file["layers/dense/vars/0"] = np.ones((2, 3), "f4")
            file["layers/dense/vars"].attrs["name"] = "head"
            file.create_dataset("packed", data=np.ones((4, 4)), chunks=(2, 2), compression="gzip", shuffle=True)
            file["packed"].attrs["scale"] = np.ones(3, ">f4")
            file["soft"] = h5py.SoftLink("/packed")
        seeds.append(buffer.getvalue())
    return seeds


def index_seeds() -> list[bytes]:
    return [b'{"metadata": {"total_size": 1}, "weight_map": {"a": "shard", "b": ["shard"], "c": "sub/shard"}}']


def lock_seeds() -> list[bytes]:
    line = b"name float32 [2,3] blake3:" + b"0a" * 32
    return [b"# frostline lock, format 1\n" + line + b"\n" + b'"a b"' + line[4:] + b"\n"]


def flax_seeds() -> list[bytes]:
    array = msgspec.msgpack.Ext(1, msgspec.msgpack.encode(((2, 2), "float32", bytes(range(16)))))
    number = msgspec.msgpack.Ext(2, msgspec.msgpack.encode((1.0, 2.0)))
    return [msgspec.msgpack.encode({"params": {"a": array, "b": [array, number]}, "step": 70_000, "name": "net"})]


def joblib_seeds() -> list[bytes]:
    import joblib

    values = {"w": np.arange(6.0).reshape(2, 3), "f": np.asfortranarray(np.ones((2, 3), ">f4")), "step": 3}
    buffer = io.BytesIO()
    joblib.dump({**values, "objects": np.array([1, "a", None], object)}, buffer)
    return [buffer.getvalue()]


def _npy() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.arange(64.0))
    return buffer.getvalue()


def compressed_seeds() -> list[bytes]:
    import lz4.frame
    import zstandard

    packers: list[Any] = [gzip.compress, zlib.compress, bz2.compress, lzma.compress, lz4.frame.compress]
    return [pack(_npy()) for pack in (*packers, zstandard.ZstdCompressor().compress)]


def tar_seeds() -> list[bytes]:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in (("./config.yaml", b"a: 1\n"), ("./w.npy", _npy())):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return [buffer.getvalue()[:4096]]


def zip_seeds() -> list[bytes]:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("config.yaml", "a: 1\n")
        file.writestr("weights/w.npy", _npy())
        file.writestr("weights/v.safetensors", safetensors_seeds()[0])
    return [buffer.getvalue()]


def onnx_seeds() -> list[bytes]:
    from onnx import TensorProto, helper, numpy_helper

    weight = numpy_helper.from_array(np.arange(6, dtype=np.float32).reshape(2, 3), "w")
    lists = [
        helper.make_tensor("half", TensorProto.FLOAT16, [2], [1.0, 2.0]),
        helper.make_tensor("whole", TensorProto.INT64, [2], [1, -2]),
        helper.make_tensor("packed", TensorProto.INT4, [3], [1, 2, 3]),
    ]
    inner = helper.make_graph([], "inner", [], [], [weight])
    nodes = [
        helper.make_node("Constant", [], ["k"], value=numpy_helper.from_array(np.ones(2), "k")),
        helper.make_node("If", ["x"], ["y"], name="branch", then_branch=inner, else_branch=inner),
        helper.make_node("TreeEnsembleRegressor", ["x"], ["z"], domain="ai.onnx.ml", name="tree", nodes_values=[0.5]),
    ]
    return [helper.make_model(helper.make_graph(nodes, "g", [], [], [weight, *lists])).SerializeToString()]


def tflite_seeds() -> list[bytes]:
    """A model of two tensors, one of them quantised, and a buffer of metadata."""
    import flatbuffers

    builder = flatbuffers.Builder(0)

    def vector(items: list[int], width: int, put: Any) -> int:
        builder.StartVector(width, len(items), width)
        for item in reversed(items):
            put(item)
        return int(builder.EndVector())

    def table(**members: tuple[str, Any]) -> int:
        builder.StartObject(8)
        for slot, (kind, value) in members.items():
            place = int(slot[1:])
            if kind == "offset":
                builder.PrependUOffsetTRelativeSlot(place, value, 0)
            elif kind == "byte":
                builder.PrependInt8Slot(place, value, 0)
            else:
                builder.PrependUint32Slot(place, value, 0)
        return int(builder.EndObject())

    def tables(items: list[int]) -> int:
        return vector(items, 4, builder.PrependUOffsetTRelative)

    data = [builder.CreateByteVector(content) for content in (bytes(range(24)), b"\1\2\3\4", b"note")]
    buffers = tables([table(), *(table(m0=("offset", each)) for each in data)])
    scale = vector([1, 2], 4, lambda number: builder.PrependFloat32(float(number)))
    zero = vector([0, 1], 8, builder.PrependInt64)
    quantised = table(m2=("offset", scale), m3=("offset", zero))
    names = [builder.CreateString(name) for name in ("w", "q", "computed", "note")]
    shapes = [vector(shape, 4, builder.PrependInt32) for shape in ([2, 3], [2, 2], [1])]
    tensors = tables(
        [
            table(m0=("offset", shapes[0]), m2=("int", 1), m3=("offset", names[0])),
            table(
                m0=("offset", shapes[1]),
                m1=("byte", 9),
                m2=("int", 2),
                m3=("offset", names[1]),
                m4=("offset", quantised),
            ),
            table(m0=("offset", shapes[2]), m3=("offset", names[2])),
        ]
    )
    graphs = tables([table(m0=("offset", tensors))])
    metadata = tables([table(m0=("offset", names[3]), m1=("int", 3))])
    builder.Finish(
        table(m0=("int", 3), m2=("offset", graphs), m4=("offset", buffers), m6=("offset", metadata)), b"TFL3"
    )
    return [bytes(builder.Output())]


TENSORFLOW_DATA = bytes(range(64))


def varint(number: int) -> bytes:
    """A number as protocol buffers and sorted tables write it."""
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def sorted_table(entries: list[tuple[bytes, bytes]]) -> bytes:
    """A table of one block, as TensorFlow writes the index of a checkpoint."""

    def block(rows: list[tuple[bytes, bytes]]) -> bytes:
        body = b"".join(b"\0" + varint(len(key)) + varint(len(value)) + key + value for key, value in rows)
        return body + struct.pack("<II", 0, 1)

    data = block(entries)
    places = [(0, len(data))]
    out = data + b"\0" * 5
    for content in (block([]), block([(b"\xff", varint(0) + varint(len(data)))])):
        places.append((len(out), len(content)))
        out += content + b"\0" * 5
    footer = b"".join(varint(number) for place in places[1:] for number in place)
    return out + footer.ljust(40, b"\0") + bytes.fromhex("57fb808b247547db")


def bundle_entry(code: int, shape: list[int], offset: int, size: int) -> bytes:
    """What an index says of a tensor: a BundleEntryProto."""
    axes = b"".join(b"\x12" + varint(len(axis)) + axis for axis in (b"\x08" + varint(extent) for extent in shape))
    out = b"\x08" + varint(code) + b"\x12" + varint(len(axes)) + axes
    return out + b"\x20" + varint(offset) + b"\x28" + varint(size) + b"\x35\0\0\0\0"


def tensorflow_seeds() -> list[bytes]:
    rows = [
        (b"", b"\x08\x01\x1a\x02\x08\x01"),
        (b"b", bundle_entry(14, [3], 24, 6)),
        (b"w", bundle_entry(1, [2, 3], 0, 24)),
    ]
    return [sorted_table([*rows, (b"zz/text", bundle_entry(7, [], 30, 8))])]


@functools.cache
def _torch_distributed() -> tuple[bytes, bytes]:
    import torch
    import torch.distributed.checkpoint as dcp

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is one process
        state = {"w": torch.arange(6.0).reshape(2, 3), "b": torch.ones(3, dtype=torch.bfloat16), "step": 3}
        dcp.save(state, checkpoint_id=folder, no_dist=True)
        return (Path(folder) / ".metadata").read_bytes(), (Path(folder) / "__0_0.distcp").read_bytes()


def torch_distributed_seeds() -> list[bytes]:
    return [_torch_distributed()[0]]


def torch_distributed_parts() -> bytes:
    """The one file of parts that the table of the seed refers to."""
    return _torch_distributed()[1]


@functools.cache
def _zarr() -> dict[str, bytes]:
    """The files of an array of version 2, of one of version 3 in shards, and of a database of a third."""
    import tensorstore

    packed = {"name": "gzip", "configuration": {"level": 1}}
    shard = {"chunk_shape": [2, 2], "codecs": [{"name": "bytes", "configuration": {"endian": "big"}}, packed]}
    metadata: dict[str, dict[str, Any]] = {
        "two": {"shape": [2, 3], "chunks": [2, 2], "compressor": {"id": "zlib", "level": 1}},
        "three": {
            "shape": [2, 3],
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2, 4]}},
            "codecs": [{"name": "sharding_indexed", "configuration": shard}],
        },
        "base": {"shape": [2, 3], "chunks": [2, 3], "compressor": None},
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, each in metadata.items():
            place: dict[str, Any] = {"driver": "file", "path": f"{folder}/{name}/"}
            if name == "base":
                config = {"compression": None, "max_inline_value_bytes": 30}
                place = {"driver": "ocdbt", "base": place, "path": "a/", "config": config}
            how = {"driver": "zarr3" if name == "three" else "zarr", "kvstore": place, "metadata": each}
            made = tensorstore.open(how, dtype=tensorstore.float64, create=True).result()
            made.write(np.arange(1.0, 7.0).reshape(2, 3)).result()
        files = [path for path in sorted(Path(folder).rglob("*")) if path.is_file()]
        return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def zarr_seeds() -> list[bytes]:
    """A name and the content that the file of that name is given, the others being sound."""
    return [name.encode() + b"\0" + content for name, content in _zarr().items()]


def zarr_files() -> dict[str, bytes]:
    """The sound files, by their paths."""
    return _zarr()
