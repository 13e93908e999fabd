"""Variants are edits: each changes the script, and the exact ones change nothing that it prints."""

import ast
from collections import Counter
from collections.abc import Collection
from itertools import chain

import pytest
from corpus.cases import Trial, load, trials
from corpus.edits import jax, keras, torch
from corpus.running import in_jax, plainly, prepare
from corpus.variants import in_turn, variants

TRIALS = {trial.name: trial for trial in trials(load())}
TORCH = [trial for trial in TRIALS.values() if trial.case.framework == "torch"]
KERAS = [trial for trial in TRIALS.values() if trial.case.framework in ("keras", "tf_keras")]
JAX = [trial for trial in TRIALS.values() if trial.case.framework == "jax"]


@pytest.fixture(scope="module", params=["torch", "keras", "jax"])
def written(request, tmp_path_factory) -> tuple[Collection[str], dict[str, list[Trial]]]:
    """The edits of scripts of one kind, and the variants of each of these."""
    edits, scripts = {"torch": (torch.EDITS, TORCH), "keras": (keras.EDITS, KERAS), "jax": (jax.EDITS, JAX)}[
        request.param
    ]
    folder = tmp_path_factory.mktemp("variants")
    return edits, {trial.name: list(variants(trial, folder)) for trial in scripts}


def test_every_edit_applies_to_many_scripts(written):
    edits, found = written
    counts = dict.fromkeys(edits, 0)
    for variant in chain.from_iterable(found.values()):
        ast.parse(variant.script.read_text())
        counts[variant.variant] += 1
    assert all(count > 20 for count in counts.values()), counts


def test_every_bug_has_five_variants(written):
    few = {name: len(made) for name, made in written[1].items() if TRIALS[name].role == "bug" and len(made) < 5}
    assert few == {}


@pytest.mark.parametrize("name", ["bugs/torch/slow_weights", "clean/torch/recurrent_tagger", "clean/torch/gan_toggles"])
def test_exact_edits_print_the_same(name, tmp_path):
    trial = TRIALS[name]
    prepare()
    wanted = plainly(trial.script)
    chosen = [variant for variant in variants(trial, tmp_path) if variant.variant in torch.EXACT]
    assert len(chosen) >= 3
    for variant in chosen:
        assert plainly(variant.script) == wanted, variant.variant


@pytest.mark.needs("jax", "flax", "optax")
def test_exact_edits_of_jax_print_the_same(tmp_path):
    trial = TRIALS["clean/jax/nnx_plain"]
    chosen = [each for each in variants(trial, tmp_path) if each.variant in jax.EXACT]
    assert {each.variant for each in chosen} == {*jax.EXACT}
    printed = {in_jax([str(each.script)], tmp_path).stdout for each in (trial, *chosen)}
    assert len(printed) == 1
    assert printed != {""}


def test_edits_in_turn_are_each_made_once_and_on_every_backend(written):
    everyone = list(chain.from_iterable(written[1].values()))
    chosen = in_turn(everyone)
    assert {(each.case.name, each.role, each.variant) for each in everyone} == {
        (each.case.name, each.role, each.variant) for each in chosen
    }
    assert len({(each.case.name, each.role, each.variant) for each in chosen}) == len(chosen)
    used = Counter(each.backend for each in chosen)
    assert used.keys() == {each.backend for each in everyone}
    assert min(used.values()) > 20 or len(used) == 1


def test_an_edit_skipped_by_the_case_is_left_out(tmp_path):
    trial = TRIALS["bugs/torch/brain_float_finetune"]
    assert "float64" in trial.case.variants_skip
    assert "float64" not in {variant.variant for variant in variants(trial, tmp_path)}


def test_names_that_patterns_speak_of_are_kept(tmp_path):
    trial = TRIALS["bugs/torch/averaged_teacher"]
    (renamed,) = (variant for variant in variants(trial, tmp_path) if variant.variant == "renamed")
    text = renamed.script.read_text()
    assert "teacher = " in text
    assert "optimizer_2 = " in text
