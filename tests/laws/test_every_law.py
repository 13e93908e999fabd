"""The laws: each finds its violations in stored runs without any cause, and keeps quiet where an excuse is proven."""

from dataclasses import replace

import pytest
from tests.ledgers import stored

from frostline.core import facts
from frostline.core.columns.standstill import Standstill
from frostline.core.fold import fold
from frostline.core.ledger import Ledger
from frostline.laws import LAWS, NAMED, judge
from frostline.laws.causes import CAUSES
from frostline.laws.law import Law
from frostline.laws.observed_run import ObservedRun

SHAPE = {"shape": (4,), "dtype": "float32", "bytes": 16, "size": 4}
OF_A_PART = {"frozen-rows-changed", "gradient-not-used"}  # about rows of a tensor, or about how it moved
OF_NOTHING_HELD = {"optimizer-runs-empty"}  # found by L3: there is no tensor that the step holds
ELSEWHERE = OF_A_PART | OF_NOTHING_HELD
BY_BITS = {"L1", "L2", "L4"}
UNFROZEN_FOR_ITS_GAN = ("bugs/torch/pretrained_generator", "unfrozen-after-compile")  # its optimizer holds no tensor


def of(code: str) -> Law:
    return next(law for law in LAWS if law.code == code)


def violated(code: str, ledger: Ledger) -> set[str]:
    """The tensors of all violations of a law."""
    violations = of(code).violations
    assert violations is not None
    return {row.name for violation in violations(ObservedRun(ledger)) for row in violation.tensors}


def test_every_law_has_a_code_and_a_name_of_its_own() -> None:
    assert [law.code for law in LAWS] == [f"L{number}" for number in range(1, 13)]
    assert len({each.slug for each in NAMED}) == len(NAMED)
    assert {rule.law for rule in CAUSES} <= {law.code for law in LAWS}
    assert all(need.__name__ in facts.__all__ for law in LAWS for need in law.needs)


@pytest.mark.parametrize("shelf", stored.SHELVES)
def test_the_law_alone_finds_what_a_rule_calls_an_error(shelf: str) -> None:
    """Detection does not wait for a cause: the tensors of each error are in the violations of its law."""
    law_of = {rule.slug: rule.law for rule in CAUSES}
    missed = []
    for seen in stored.load(shelf):
        said = stored.expected(shelf)[seen.program]["findings"]
        for ledger in seen.ledgers:
            known = {row.name for row in ledger.tensors if row.changed.verdict != "unknown"}  # nothing to judge by
            bits = {code: violated(code, ledger) for code in BY_BITS}
            for finding in said:
                names = set(finding["tensors"]) & known
                expected = finding["severity"] == "error" and law_of.get(finding["rule"]) in BY_BITS and names
                if (
                    not expected
                    or finding["rule"] in ELSEWHERE
                    or (seen.program, finding["rule"]) == UNFROZEN_FOR_ITS_GAN
                ):
                    continue
                if not names <= set.union(*bits.values()):
                    missed.append((seen.program, finding["rule"]))
    assert missed == []


def test_without_causes_the_violations_stand_under_the_laws_own_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("frostline.laws.explain", lambda run: [])
    [digits] = [each for each in stored.load("torch") if each.program == "bugs/torch/digits_staged"]
    findings, _ = judge(digits.ledgers[0])
    assert [(finding.code, finding.severity) for finding in findings] == [("L1", "error")]


@pytest.mark.parametrize("shelf", stored.SHELVES)
def test_a_healthy_program_breaks_a_law_with_an_excuse_only(shelf: str) -> None:
    for seen in stored.load(shelf):
        if seen.program.startswith("clean/"):
            for ledger in seen.ledgers:
                findings, _ = judge(ledger)
                assert [each for each in findings if each.severity == "error"] == [], seen.program


def test_every_excuse_is_proven_in_a_stored_run_or_here() -> None:
    proven = {
        (each.law, each.excuse)
        for shelf in stored.SHELVES
        for seen in stored.load(shelf)
        for ledger in seen.ledgers
        for each in judge(ledger)[1]
    }
    here = {("L2", "remade"), ("L4", "handed back"), ("L5", "loaded"), ("L5", "momentum of 0")}
    loads = {("L8", "adjusted"), ("L10", "trained before")}
    standstill = {
        ("L2", "converged"),
        ("L2", "unnamed rows"),
        ("L2", "unrouted"),
        ("L2", "cancelled"),
    }  # in files of their own, as of loads
    assert proven | here | standstill | loads == {(law.code, excuse.name) for law in LAWS for excuse in law.excuses}


def run(*seen: facts.Fact, steps: int = 8) -> Ledger:
    """The ledger of a run of ``steps`` steps of SGD, which holds tensor 0, with further facts."""
    ledger = fold(
        [
            facts.FrameworkSeen(framework="torch", version="2"),
            facts.OptimizerFound(optimizer="sgd", kind="optimizer", name="SGD"),
            facts.OptimizerSeen(optimizer="sgd", steps_executed=steps),
            *seen,
        ]
    )
    return replace(ledger, run=replace(ledger.run, steps=steps))


def weight(tensor: int = 0, name: str = "net.w", **more: object) -> list[facts.Fact]:
    found = facts.TensorFound(
        tensor=tensor,
        framework="torch",
        name=name,
        **({"kind": "parameter", "model": "net"} | SHAPE | more),  # type: ignore[arg-type]
    )
    return [found, facts.FlagDeclared(tensor=tensor, flag=True), facts.BaselineTaken(tensor=tensor, blocks=1)]


def held(tensor: int = 0, **more: object) -> facts.Held:
    return facts.Held(optimizer="sgd", tensors=(tensor,), **more)  # type: ignore[arg-type]


def checked(*rates: float) -> list[facts.Fact]:
    """Checks at steps 1, 2, 4, … with these learning rates."""
    return [
        facts.OptimizerChecked(optimizer="sgd", executed=2**index, step=2**index, lr=rate)
        for index, rate in enumerate(rates)
    ]


def moved(tensor: int = 0, place: str = "step", **more: object) -> facts.Moved:
    return facts.Moved(tensor=tensor, move=tensor, place=place, since=1, until=1, **more)  # type: ignore[arg-type]


def codes(ledger: Ledger) -> list[tuple[str, str]]:
    return [(finding.code, finding.severity) for finding in judge(ledger)[0]]


def test_a_rate_that_was_0_for_a_third_of_the_steps_is_an_error() -> None:
    moves = moved(optimizer="sgd", trainable=True, gradient="nonzero")
    still = facts.StoodStill(tensors=(0,), still=Standstill(2, 4, 8, "nonzero"))
    run_out = run(*weight(), held(), moves, *checked(0.1, 0.1, 0.0, 0.0), still, steps=8)
    assert codes(run_out) == [("L4", "error")]
    assert codes(run(*weight(), held(), moves, *checked(0.1, 0.1, 0.0, 0.0), steps=8)) == []  # carried by momentum
    cut_off = [*weight(1, "net.cut", owner="net.cut"), held(1)]  # never moved, and says nothing of the others
    beside = run(*weight(), held(), moves, *cut_off, *checked(0.1, 0.1, 0.0, 0.0), steps=8)
    assert "L4" not in dict(codes(beside))
    [finding] = judge(run_out)[0]
    assert finding.evidence["rate_zero_at_step"] == 4


@pytest.mark.parametrize("rates", [(0.1, 0.1, 0.1, 0.0), (0.0, 0.0, 0.1, 0.1), (0.1, 0.0, 0.0, 0.1)])
def test_a_schedule_that_ends_or_begins_at_0_or_restarts_is_healthy(rates: tuple[float, ...]) -> None:
    moves = moved(optimizer="sgd", trainable=True, gradient="nonzero")
    assert codes(run(*weight(), held(), moves, *checked(*rates), steps=8)) == []


def test_an_optimizer_that_steps_and_holds_nothing_is_found_without_a_bit() -> None:
    assert ("L3", "error") in codes(run(*weight(), *checked(0.1, 0.1), steps=8)) or codes(
        run(*weight(), *checked(0.1, 0.1), steps=8)
    ) == [("T208", "error")]


def norm(**seen: object) -> list[facts.Fact]:
    """A batch norm: a weight that is trained, and statistics that stood still."""
    mine = {"owner": "norm", "owner_type": "BatchNorm1d", "role": "normalisation"}
    return [
        *weight(0, "net.norm.weight", **mine),
        held(0),
        moved(0, optimizer="sgd", trainable=True, gradient="nonzero"),
        facts.FlagHeld(tensors=(0,), flag=True, steps=8),
        *weight(1, "net.norm.running_mean", kind="buffer", **mine),
        facts.FlagDeclared(tensor=1, flag=None),
        facts.ModuleSeen(tensors=(0, 1), called=True, **seen),  # type: ignore[arg-type]
    ]


def test_statistics_that_never_moved_beside_trained_weights_are_a_warning() -> None:
    assert codes(run(*norm(in_training=False), *checked(0.1, 0.1))) == [("L5", "warning")]


def test_statistics_that_were_loaded_and_are_kept_in_eval_mode_are_excused() -> None:
    kept = run(*norm(in_training=False), facts.TensorSeen(tensor=1, loaded=True), *checked(0.1, 0.1))
    findings, excused = judge(kept)
    assert (findings, [(each.law, each.excuse) for each in excused]) == ([], [("L5", "loaded")])


def test_a_layer_that_counts_batches_and_keeps_its_statistics_has_a_momentum_of_0() -> None:
    mine = {"owner": "norm", "owner_type": "BatchNorm1d", "role": "normalisation", "dtype": "int64"}
    count = [*weight(2, "net.norm.num_batches_tracked", kind="buffer", **mine), moved(2, "forward")]
    findings, excused = judge(run(*norm(in_training=True), *count, *checked(0.1, 0.1)))
    assert (findings, [each.excuse for each in excused]) == ([], ["momentum of 0"])


def test_statistics_of_a_norm_whose_weights_rest_say_nothing() -> None:
    resting = [fact for fact in norm(in_training=False) if not isinstance(fact, facts.Moved | facts.Held)]
    assert "L5" not in {code for code, _ in codes(run(*resting, *checked(0.1, 0.1)))}
