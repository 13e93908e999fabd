"""Words of names that frameworks choose, not users: they stay where a record is made anonymous."""

from __future__ import annotations

import builtins

_PARAMETERS = """
    alpha base_layer batch_stats beta bias bias_hh bias_ih bias_k bias_v buffers class_embedding cls_token cov
    default depthwise_kernel embedding embeddings gamma hidden in_proj_bias in_proj_weight input k_proj_weight
    kernel layers lora_A lora_B lora_a lora_alpha lora_b lora_embedding_A lora_embedding_B lora_kernel_a
    lora_kernel_b lora_magnitude_vector mask mean modules_to_save moving_mean moving_variance mu nu
    num_batches_tracked original original0 original1 original_module parametrizations params pointwise_kernel
    position_embeddings position_ids q_proj_weight qweight qzeros recurrent_kernel running_mean running_var scale
    scales seed_generator state trainable_params u v v_proj_weight value var w weight weight_g weight_hh_l0
    weight_ih_l0 weight_mask weight_orig weight_u weight_v weights x y z
"""
_WRAPPERS = "base base_model base_module lora model module _fsdp_wrapped_module _orig_mod"
_ROLES = "average avg ema polyak shadow slow target teacher"  # so that a reader still sees copies
_CALLS = """
    adapter an apply_gradients apply_updates average buffer by by_hand call copy dump eval first fit forward from
    grad in is keras jax kept load load_state_dict load_weights merged mode module numpy of optimizer or out pickle
    pretrained requires_grad safetensors save save_pretrained save_weights savez script set_weights state_dict step
    taken tensor that the torch train train_on_batch train_step trainable zero_grad
"""
_CLASSES = """
    ASGD Activation Adadelta Adafactor Adagrad Adam AdamW AdamWScheduleFree Adamax AvgPool1d AvgPool2d BatchNorm
    BatchNorm1d BatchNorm2d BatchNorm3d BatchNormalization Bidirectional Conv Conv1D Conv1d Conv2D Conv2d Conv3D
    Conv3d ConvTranspose1d ConvTranspose2d Dense DepthwiseConv2D DistributedDataParallel Dropout EinsumDense
    Embedding Flatten Ftrl Functional FullyShardedDataParallel GELU GRU GRUCell GroupNorm GroupNormalization
    Identity InstanceNorm1d InstanceNorm2d LBFGS LSTM LSTMCell LayerNorm LayerNormalization Linear Lion Lookahead
    MaxPool2d Model ModuleDict ModuleList MultiHeadAttention MultiheadAttention NAdam Nadam PReLU ParameterDict
    ParameterList RAdam RMSNorm RMSprop RNN RNNCell ReLU Rprop SGD Sequential SeparableConv2D Sigmoid SimpleRNN
    Softmax SparseAdam SpectralNorm SyncBatchNorm Tanh Transformer TransformerEncoderLayer UnitNormalization
    ZeroRedundancyOptimizer pytree
"""
_FILES = "bin ckpt gguf h5 index ipynb json keras memory msgpack npy npz onnx pt pth py safetensors tflite"

PUBLIC = frozenset(" ".join((_PARAMETERS, _WRAPPERS, _ROLES, _CALLS, _CLASSES, _FILES)).split()) | frozenset(
    dir(builtins)
)
