"""What frameworks call the state of a model, and how it is written and copied: for hints."""

from __future__ import annotations

from dataclasses import dataclass

from frostline.laws.observed_run import ObservedRun


@dataclass(frozen=True, slots=True)
class Words:
    """All of a model's state, its running ``statistics`` too, what was trained ``itself``, and a copy of it."""

    whole: str
    statistics: str
    itself: str
    copied: str


_KERAS = Words(
    whole="the whole model with save() or save_weights()",
    statistics="write save_weights() or get_weights(): trainable_weights leaves out all statistics",
    itself="the model with save() or save_weights()",
    copied="take a copy: [weight.copy() for weight in model.get_weights()]",
)
_WORDS = {
    "torch": Words(
        whole="the whole state_dict()",
        statistics="save state_dict(): parameters() leaves out all buffers",
        itself="model.state_dict() itself",
        copied="take a copy: copy.deepcopy(model.state_dict()), or clone() each tensor; "
        "cpu() alone copies nothing on a CPU",
    ),
    "keras": _KERAS,
    "tf_keras": _KERAS,
    "jax": Words(
        whole="the whole state: all collections of linen, nnx.state(model), or every array of the pytree",
        statistics="write them too: batch_stats beside params in linen, nnx.state(model) without a filter, "
        "the State beside the model in equinox",
        itself="the state that the last step handed back",
        copied="take a copy: jax.tree.map(jnp.copy, state); np.asarray alone copies nothing on a CPU",
    ),
}


def words(run: ObservedRun) -> Words:
    """Those of the framework that the run was observed with."""
    return _WORDS[run.framework]
