"""Variants are edits: each changes the script, and the exact ones change nothing that it prints."""

import ast

import pytest
from corpus.cases import load, trials
from corpus.edits import keras, torch
from corpus.running import plainly, prepare
from corpus.variants import variants

TRIALS = {trial.name: trial for trial in trials(load())}
TORCH = [trial for trial in TRIALS.values() if trial.case.framework == "torch"]
KERAS = [trial for trial in TRIALS.values() if trial.case.framework != "torch"]


@pytest.mark.parametrize(("edits", "scripts"), [(torch.EDITS, TORCH), (keras.EDITS, KERAS)], ids=["torch", "keras"])
def test_every_edit_applies_to_many_scripts(edits, scripts, tmp_path):
    counts = dict.fromkeys(edits, 0)
    for trial in scripts:
        for variant in variants(trial, tmp_path):
            ast.parse(variant.script.read_text())
            counts[variant.variant] += 1
    assert all(count > 20 for count in counts.values()), counts


@pytest.mark.parametrize("scripts", [TORCH, KERAS], ids=["torch", "keras"])
def test_most_bugs_have_five_variants(scripts, tmp_path):
    bugs = [trial for trial in scripts if trial.role == "bug"]
    enough = sum(len(list(variants(trial, tmp_path))) >= 5 for trial in bugs)
    assert enough >= 0.8 * len(bugs)


@pytest.mark.parametrize("name", ["bugs/torch/slow_weights", "clean/torch/recurrent_tagger", "clean/torch/gan_toggles"])
def test_exact_edits_print_the_same(name, tmp_path):
    trial = TRIALS[name]
    prepare()
    wanted = plainly(trial.script)
    chosen = [variant for variant in variants(trial, tmp_path) if variant.variant in torch.EXACT]
    assert len(chosen) >= 3
    for variant in chosen:
        assert plainly(variant.script) == wanted, variant.variant


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
