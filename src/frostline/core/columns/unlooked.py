"""Why a fact of a tensor is unknown: what is not looked for in a framework, or could not be seen."""

from __future__ import annotations

from collections.abc import Mapping

_CALLS = "no forward pass of its module was watched"
_STILL = "it is looked at only where a weight did not change"

# What each fact says of a tensor, and why none may be known where the framework is one in which it is looked for.
FACTS: Mapping[str, tuple[str, str]] = {
    "called": ("its module or layer was called", _CALLS),
    "recorded": ("a call of its module recorded gradients", _CALLS),
    "detached": ("what its module returned was cut from the gradients", _CALLS),
    "output_got_gradient": ("a gradient came back to what its module returned", _CALLS),
    "dropped": ("what its module returned was used by nothing", _CALLS),
    "in_training": ("a call found its module in training mode", _CALLS),
    "sibling_called": ("a module of the same type beside its own was called", f"{_CALLS}, or its weight changed"),
    "read": ("a forward pass read it", _CALLS),
    "rewrites_in_forward": ("its layer assigns to it in the forward pass", "no step of its model was traced"),
    "default_initialised": ("its values look like those of an initialiser", _STILL),
    "zeros": ("all its values are zero", _STILL),
    "reached_by_backward": ("a gradient of it was seen that is not zero", "no gradient of it was looked at"),
    "cleared": ("its gradient was gone when the step came", "no backward pass before a step was seen to make one"),
    "loaded": ("it was given values by a load", "no load was seen to give it any"),
    "gone": ("another tensor took its place", "its model was not looked through again"),
    "shared": ("others may write to its memory", "its memory was not looked at"),
    "as_buffer": ("it is a parameter that is registered as a buffer", "its module was not looked through"),
    "sharded": ("this process holds only a part of it", "how it is spread over devices was not looked at"),
}

_COMPILED = "calls of layers are not watched in steps of Keras, most of which are compiled"
_KERAS: Mapping[str, str] = {
    **dict.fromkeys(
        ("called", "recorded", "detached", "output_got_gradient", "dropped", "in_training", "read"), _COMPILED
    ),
    "cleared": "gradients are values of the step of Keras, and nothing keeps or clears them between two steps",
    "loaded": "loads of Keras are not followed to the variables that they fill",
    "gone": "a variable of Keras is known by its place, whichever variable stands there",
    "shared": "the memory of variables of Keras belongs to the backend",
    "as_buffer": "Keras has no buffers beside its weights",
    "sharded": "a variable of Keras is read as a whole, wherever its parts are",
}
_PYTREE = "a step of JAX is a function of arrays: there is no module whose calls could be watched"

# What is not looked for in a framework, with the reason.
NOT_LOOKED_FOR: Mapping[str, Mapping[str, str]] = {
    "torch": {
        "rewrites_in_forward": "a move of torch says itself whether it was made in a forward pass",
        "zeros": "values of torch are not searched for zeros: a gradient that is zero is seen itself",
    },
    "keras": _KERAS,
    "tf_keras": _KERAS,
    "jax": {
        **dict.fromkeys(
            ("called", "recorded", "detached", "output_got_gradient", "dropped", "in_training", "sibling_called"),
            _PYTREE,
        ),
        "read": "what a function of JAX reads is told by what it is differentiated by",
        "rewrites_in_forward": "arrays of JAX are not written to: a new one takes the place of the former",
        "default_initialised": "an array of JAX does not say which initialiser made it",
        "cleared": "gradients of JAX are values of the step, and nothing keeps or clears them between two steps",
        "loaded": "loads are not followed into the arrays of JAX that they fill",
        "gone": "a new array of JAX takes the place of the former at each step, and is the same tensor",
        "shared": "arrays of JAX are not written to, by whoever holds them",
        "as_buffer": "JAX has no buffers that could take a gradient",
    },
}


def why_unknown(fact: str, framework: str) -> str:
    """Say why a fact of a tensor is None.

    Args:
        fact: the name of the field, such as ``cleared``.
        framework: that the run was observed with.

    Raises:
        KeyError: there is no such fact.

    Example:
        >>> why_unknown("zeros", "keras")
        'it is looked at only where a weight did not change'
    """
    return NOT_LOOKED_FOR.get(framework, {}).get(fact, FACTS[fact][1])
