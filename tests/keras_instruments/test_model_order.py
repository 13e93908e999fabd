"""Models are taken in one order, whatever order the collector of Python has them in."""

import itertools
from types import SimpleNamespace

from frostline.frameworks.keras_common.models.models import _in_order


def test_models_stand_as_the_script_names_them_and_then_by_their_own_numbers() -> None:
    left, right, third, tenth = models = [SimpleNamespace(name=name) for name in ("b", "a", "model_3", "model_10")]
    names = {id(left): "left", id(right): "right"}  # in the order of the script's variables
    for found in itertools.permutations(models):
        assert _in_order(list(found), names) == [left, right, third, tenth]
