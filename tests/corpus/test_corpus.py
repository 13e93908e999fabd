"""A part of the corpus, on every framework: programs are found guilty or let go by a run from beginning to end.

All of it runs with ``make corpus``. That each rule finds its bugs is tested without running them again, on what was
seen of all programs (tests/ledgers), and by an example of each that runs (tests/causes).
"""

from concurrent.futures import ThreadPoolExecutor

import pytest
from corpus.cases import load, trials
from corpus.judging import gaps, judge, unexplained
from corpus.running import prepare, run

from frostline.laws import LAWS
from frostline.laws.causes import CAUSES

CASES = load()
TRIALS = trials(CASES)
CODES = {each.slug: each.code for each in (*CAUSES, *LAWS)}
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


# For Keras one family of rules on each backend.
KERAS = {"jax": "F", "torch": "T", "tensorflow": "W"}


def chosen():
    """The first bug of each family of rules on each framework with its twin, and programs that are easily suspected."""
    first = {}
    for trial in TRIALS:
        case = trial.case
        if case.kind == "bug" and not case.missing():
            family = CODES[case.rules[0]][0]
            if case.framework != "keras" or KERAS.get(trial.backend) == family:
                first.setdefault((case.framework, trial.backend, trial.role, family), trial)
    return [*first.values(), *(trial for trial in TRIALS if trial.name in {f"clean/torch/{name}" for name in HEALTHY})]


@pytest.fixture(scope="module")
def judgements():
    prepare()
    with ThreadPoolExecutor(2) as pool:
        outcomes = pool.map(run, chosen())
        return {outcome.trial.name: judge(outcome) for outcome in outcomes}


@pytest.mark.needs("torch", "keras", "jax", "tensorflow", "tf_keras")
def test_every_framework_and_every_family_of_rules_has_a_bug_and_its_twin():
    bugs, twins = ({trial.case.name for trial in chosen() if trial.role == role} for role in ("bug", "fixed"))
    assert bugs == twins
    assert {trial.case.framework for trial in chosen()} == {"torch", "keras", "tf_keras", "jax"}
    assert {CODES[trial.case.rules[0]][0] for trial in chosen() if trial.role == "bug"} >= set("DFMPRSTW")


@pytest.mark.parametrize("name", [trial.name for trial in chosen()])
def test_program(name, judgements):
    everything = [trial.name for trial in TRIALS]
    known = {gap: said for gap, said in gaps().items() if gap == name or gap not in everything}
    assert unexplained([judgements[name]], known, everything) == []
