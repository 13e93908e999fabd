"""The laws behind a change, on what torch's own optimizers and averages really do to weights."""

import numpy as np
import pytest

from frostline.digest import shift as module
from frostline.digest.shift import describe, follows, may_follow

torch = pytest.importorskip("torch")

TYPES = ["float64", "float32", "float16", "bfloat16"]
NARROW = ["float16", "bfloat16"]


def bits(tensor):
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy()


def normal(dtype, *shape, scale=0.05, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(*shape, generator=generator, dtype=torch.float64) * scale).to(getattr(torch, dtype))


def stepped(weights, gradients, optimizer, **options):
    """The weights after a step of the optimizer for each gradient."""
    parameter = torch.nn.Parameter(weights.clone())
    program = optimizer([parameter], **options)
    for gradient in gradients:
        parameter.grad = gradient.clone()
        program.step()
    return parameter.detach()


def ratio(before, after):
    return describe(bits(before), bits(after), str(before.dtype).removeprefix("torch."), before.shape).ratio


# Decay


@pytest.mark.parametrize(
    ("dtype", "size"),
    [(dtype, size) for dtype in TYPES for size in (2, 10, 1000, 200_000) if size > 2 or dtype not in NARROW],
)
@pytest.mark.parametrize(("lr", "decay"), [(0.1, 0.1), (0.5, 0.5)])
@pytest.mark.parametrize("optimizer", [torch.optim.AdamW, torch.optim.SGD])
def test_decay_at_zero_gradient(dtype, size, lr, decay, optimizer):
    before = normal(dtype, size)
    eps = {"eps": 1e-4} if optimizer is torch.optim.AdamW else {}  # 1e-8 is 0 in float16: torch makes NaN of it
    after = stepped(before, [torch.zeros_like(before)], optimizer, lr=lr, weight_decay=decay, **eps)
    assert ratio(before, after) == pytest.approx(1 - lr * decay, rel=2e-3 if dtype in NARROW else 1e-7)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("foreach", [True, False])
def test_weak_decay_is_found_where_the_type_can_hold_it(dtype, foreach):
    before = normal(dtype, 1000)
    after = stepped(before, [torch.zeros_like(before)], torch.optim.AdamW, lr=1e-3, weight_decay=1e-2, foreach=foreach)
    assert ratio(before, after) == 0.99999


def test_decay_that_is_half_rounded_away_is_still_one_number():
    before = normal("bfloat16", 20_000)
    after = stepped(before, [torch.zeros_like(before)], torch.optim.SGD, lr=0.1, weight_decay=0.03)
    moved = describe(bits(before), bits(after), "bfloat16", before.shape).moved
    assert 0 < moved < 20_000
    assert ratio(before, after) == pytest.approx(0.997, abs=1e-4)


def test_decay_keeps_zeros_and_one_zero_that_moved_denies_it():
    before = normal("float32", 100)
    before[::3] = 0
    after = before * 0.9
    assert ratio(before, after) == 0.9
    after[0] = 1e-9
    assert ratio(before, after) is None


@pytest.mark.parametrize("dtype", NARROW)
def test_two_elements_of_a_narrow_type_may_agree_by_chance(dtype):
    before = normal(dtype, 2)
    assert ratio(before, before * 0.9) is None


def test_infinities_and_nans_that_stay_are_no_objection():
    before = normal("float32", 100)
    before[:2] = torch.tensor([torch.nan, torch.inf])
    after = before * 0.9
    assert ratio(before, after) == 0.9
    after[5] = torch.nan
    assert ratio(before, after) is None


@pytest.mark.parametrize("values", [[0.5], [1.0, 1.0, 1.0], [1.0, -1.0, 0.0], [0.0, 0.0, 3.0]])
def test_one_magnitude_cannot_show_a_ratio(values):
    before = torch.tensor(values)
    after = stepped(before, [torch.zeros_like(before)], torch.optim.AdamW, lr=0.1, weight_decay=0.1)
    assert ratio(before, after) is None


def test_a_number_that_stays_half_open_is_not_told():
    before = 2.0 ** torch.arange(-20, 20).to(torch.bfloat16)
    after = before * 0.997  # all of them move by the same half unit, which many numbers explain
    assert ratio(before, after) is None


@pytest.mark.parametrize("factor", [0.0, -1.0, 2.0, 0.25])
def test_other_ratios_than_decay(factor):
    before = normal("float32", 100)
    assert ratio(before, before * factor) == factor


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("size", [2, 10, 1000])
@pytest.mark.parametrize("seed", range(20))
def test_momentum_and_gradient_steps_are_no_ratio(dtype, size, seed):
    before, gradient = normal(dtype, size, seed=2 * seed), normal(dtype, size, scale=1.0, seed=2 * seed + 1)
    still = torch.zeros_like(gradient)
    first = stepped(before, [gradient], torch.optim.SGD, lr=0.01, momentum=0.9)
    carried = stepped(before, [gradient, still], torch.optim.SGD, lr=0.01, momentum=0.9)
    adam = stepped(before, [gradient], torch.optim.Adam, lr=0.01, eps=1e-4)
    for one, other in [(before, first), (first, carried), (before, adam)]:
        assert ratio(one, other) is None


# Averages and copies


def lerped(average, source, rate):
    return torch.lerp(average, source, rate)


def multiplied(average, source, rate):
    return average.clone().mul_(1 - rate).add_(source, alpha=rate)


def summed(average, source, rate):
    return (1 - rate) * average + rate * source


def corrected(average, source, rate):
    return average - rate * (average - source)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("form", [lerped, multiplied, summed, corrected])
@pytest.mark.parametrize("rate", [0.5, 0.1])
@pytest.mark.parametrize("start", ["random", "zero"])
def test_moving_averages_are_followed(dtype, form, rate, start):
    source = normal(dtype, 5000, seed=1)
    before = normal(dtype, 5000, seed=2) if start == "random" else torch.zeros_like(source)
    after = form(before, source, rate)
    found = follows(bits(before), bits(after), bits(source), dtype)
    assert found == pytest.approx(rate, rel=0.02 if dtype in NARROW else 1e-6)


@pytest.mark.parametrize("form", [lerped, multiplied, summed, corrected])
def test_a_slow_average_is_followed_in_float32(form):
    before, source = normal("float32", 5000, seed=1), normal("float32", 5000, seed=2)
    after = form(before, source, 0.001)
    assert follows(bits(before), bits(after), bits(source), "float32") == pytest.approx(0.001, rel=1e-4)


@pytest.mark.parametrize("dtype", [*TYPES, "float8_e4m3fn", "float8_e5m2", "complex64", "int32", "uint4"])
def test_a_copy_is_followed_at_rate_one(dtype):
    before, source = (np.random.default_rng(seed).integers(0, 100, 64, dtype="u1") for seed in (0, 1))
    assert follows(before, source, source, dtype) == 1.0
    assert follows(before, before, source, dtype) is None
    assert follows(source, source, source, dtype) is None


def test_a_copy_of_one_value_shows_nothing():
    before, source = normal("float32", 50), torch.zeros(50)
    assert follows(bits(before), bits(source), bits(source), "float32") is None
    assert follows(bits(before), bits(before * 0.9), bits(source), "float32") is None
    assert follows(bits(before[:1]), bits(before[1:2]), bits(before[1:2]), "float32") is None


def test_rate_one_means_equal_bits():
    before, source = normal("float32", 1000), normal("float32", 1000, seed=1)
    nearly = source.clone()
    nearly[7] = torch.nextafter(nearly[7], torch.tensor(1.0))
    assert follows(bits(before), bits(nearly), bits(source), "float32") != 1.0


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("decay", [0.9, 0.99, 0.999])
def test_an_average_lost_in_rounding_is_not_ruled_out_and_a_move_elsewhere_is(dtype, decay):
    before, apart = normal(dtype, 1000), normal(dtype, 1000, scale=1e-3, seed=1)
    source = before + apart
    after = before.clone().mul_(decay).add_(source, alpha=1 - decay)
    assert not torch.equal(before, after)
    assert may_follow(bits(before), bits(after), bits(source), dtype)
    assert not may_follow(bits(before), bits(before - 4 * apart), bits(source), dtype)
    one = after.clone()
    one[500] -= 8 * apart[500].abs() + before[500].abs() / 16
    assert not may_follow(bits(before), bits(one), bits(source), dtype)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("size", [3, 10, 1000])
@pytest.mark.parametrize("seed", range(20))
def test_unrelated_weights_are_not_followed(dtype, size, seed):
    before, source, gradient = (normal(dtype, size, seed=3 * seed + index) for index in range(3))
    stepped_once = stepped(before, [gradient], torch.optim.SGD, lr=0.1)
    for after in (normal(dtype, size, seed=1000 + seed), stepped_once):
        assert follows(bits(before), bits(after), bits(source), dtype) is None


def test_away_from_the_source_or_beyond_it_is_not_following():
    before, source = normal("float32", 100), normal("float32", 100, seed=1)
    for rate in (-0.5, 1.5):
        assert follows(bits(before), bits(lerped(before, source, rate)), bits(source), "float32") is None


@pytest.mark.parametrize("chunk", [1 << 16, 7])
def test_a_copy_is_known_across_chunks(chunk, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", chunk)
    before, source = normal("float32", 40), normal("float32", 40, seed=1)
    assert follows(bits(before), bits(source), bits(source), "float32") == 1.0
    twice = before.clone()
    twice[[3, 30]] = torch.tensor([7.0, 5.0])
    assert follows(bits(before), bits(twice), bits(twice), "float32") == 1.0
    once = torch.full((40,), 7.0)  # the same number everywhere: such a copy shows nothing
    assert follows(bits(before), bits(once), bits(once), "float32") is None
    partly = before.clone()
    partly[::7] = 7.0
    assert follows(bits(before), bits(partly), bits(partly), "float32") is None


@pytest.mark.parametrize("chunk", [1 << 16, 7])
def test_laws_hold_across_chunks_or_not_at_all(chunk, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", chunk)
    before, source = normal("float32", 40), normal("float32", 40, seed=1)
    after = lerped(before, source, 0.25)
    assert ratio(before, before * 0.5) == 0.5
    assert follows(bits(before), bits(after), bits(source), "float32") == pytest.approx(0.25, rel=1e-6)
    after[33] += 0.5
    assert follows(bits(before), bits(after), bits(source), "float32") is None
    assert not may_follow(bits(before), bits(after), bits(source), "float32")


@pytest.mark.parametrize(("rate", "possible"), [(-0.5, False), (0.5, True), (1.0, True), (1.5, False)])
def test_a_move_away_or_beyond_is_ruled_out(rate, possible):
    before, source = normal("float32", 40), normal("float32", 40, seed=1)
    assert may_follow(bits(before), bits(lerped(before, source, rate)), bits(source), "float32") is possible


def test_infinities_that_the_source_alone_has_are_an_objection():
    before, source = normal("float32", 40), normal("float32", 40, seed=1)
    after = lerped(before, source, 0.25)
    source[3] = torch.inf
    assert follows(bits(before), bits(after), bits(source), "float32") is None
    after[3] = torch.inf
    assert follows(bits(before), bits(after), bits(source), "float32") == pytest.approx(0.25, rel=1e-6)
