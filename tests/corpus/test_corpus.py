"""A part of the corpus, at least one program for every rule that has one; all of it runs with ``make corpus``."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from corpus.cases import load, trials
from corpus.judging import gaps, judge, unexplained
from corpus.running import prepare, run

CASES = load()
TRIALS = trials(CASES)
HEALTHY = (
    "accumulation",
    "actor_critic_soft",
    "dense_embedding_decay",
    "distillation",
    "gan_batch_norm",
    "gan_toggles",
    "gradient_penalty",
    "gradual_unfreezing",
    "hand_written_descent",
    "low_rank_adapter",
    "mean_teacher",
    "overflow_skips",
    "rare_expert",
    "spectral_normalised",
    "warmup_from_zero",
)


def chosen():
    """The first PyTorch program of each rule with its twin, and healthy programs that are easily suspected."""
    first = {}
    for case in CASES:
        if case.kind == "bug" and case.framework == "torch" and case.path and not case.waiting and not case.missing():
            first.setdefault(case.rules[0], case)
    names = {case.name for case in first.values()} | {f"clean/torch/{name}" for name in HEALTHY}
    return [trial for trial in TRIALS if trial.case.name in names]


@pytest.fixture(scope="module")
def judgements():
    prepare()
    with ThreadPoolExecutor(2) as pool:
        outcomes = pool.map(run, chosen())
        return {outcome.trial.name: judge(outcome) for outcome in outcomes}


@pytest.mark.parametrize("name", [trial.name for trial in chosen()])
def test_program(name, judgements):
    everything = [trial.name for trial in TRIALS]
    known = {gap: said for gap, said in gaps().items() if gap == name or gap not in everything}
    assert unexplained([judgements[name]], known, everything) == []
