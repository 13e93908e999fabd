"""Frameworks that something imports and that train nothing are none of the run's: hints would be in their words."""

import pytest

from frostline.run.session import trained_in

IMPORTED = {"jax": "1", "torch": "2", "keras": "3", "tensorflow": "4"}


@pytest.mark.parametrize(
    ("found", "named"),
    [
        ({"jax"}, {"jax"}),  # of tensorboard come torch, tensorflow and with it keras
        ({"torch"}, {"torch"}),
        ({"torch", "jax"}, {"torch", "jax"}),
        ({"keras"}, {"jax", "torch", "keras", "tensorflow"}),  # any of them may be its backend
        (set(), {"jax", "torch", "keras", "tensorflow"}),  # nothing was found: that they were there may say why
    ],
)
def test_only_frameworks_in_which_tensors_were_found_are_named_and_backends_of_keras(
    found: set[str], named: set[str]
) -> None:
    assert trained_in(IMPORTED, found) == {name: version for name, version in IMPORTED.items() if name in named}
