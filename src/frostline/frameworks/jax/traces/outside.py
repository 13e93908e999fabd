"""Whether Python runs outside every trace of JAX, asked at each call of a compiled function."""

from __future__ import annotations

try:
    from jax._src.core import axis_env_state, eval_trace, top_axis_env, trace_state_strong_ref
except ImportError:  # in the oldest JAX that Keras runs on here
    from jax._src.core import trace_state_clean as is_outside
else:

    def is_outside() -> bool:
        """What ``trace_state_clean`` of JAX tells through four Python calls, in one."""
        return trace_state_strong_ref.value is eval_trace and axis_env_state.value is top_axis_env


__all__ = ["is_outside"]
