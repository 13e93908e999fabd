"""What is said of copies in the table: whose they are, and how often they were seen to have the bits of these."""

import pytest

from frostline.core.ledger import Movement, TensorRow
from frostline.report.changes import changed_by, copies_in


def copy_of(name: str, source: str | None, copies: tuple[int, int] | None = None, rate: float = 1.0) -> TensorRow:
    row = TensorRow(name, name.partition(".")[0], "parameter", (3,), "float32", 12, 3)
    row.changed.verdict, row.changed.followed, row.changed.copies = "yes", source, copies
    if source is None:
        row.changed.movements = [Movement("step", 1, 2, gradient="nonzero")]
    else:
        row.changed.movements = [Movement("outside", 1, 2, follows=source, rate=rate)]
    return row


Q = [copy_of("q.0.weight", None), copy_of("q.2.weight", None)]
NET = [copy_of("net.online.dense.kernel", None), copy_of("net.online.dense_1.kernel", None)]


def said(*rows: TensorRow) -> list[str]:
    return [changed_by(row, copies_in(rows)) for row in rows]


@pytest.mark.parametrize(
    ("copies", "words"),
    [
        ([(3, 3), (3, 3)], "copied from q (3 of 3 checks)"),
        ([(3, 3), (2, 3)], "copied from q (2 of 3 checks)"),  # all of it was, two times
        ([(1, 1), None], "copied from q (1 of 1 check)"),
        ([None, None], "copied from q"),
        ([(0, 3), (0, 3)], "copied from q"),  # as by a rate of its own: no count of failures
    ],
)
def test_a_copy_is_said_with_its_checks(copies: list[tuple[int, int] | None], words: str) -> None:
    target = [copy_of(f"target.{at}.weight", f"q.{at}.weight", one) for at, one in zip((0, 2), copies, strict=True)]
    assert said(*Q, *target) == ["by step", "by step", words, words]


def test_an_average_has_no_count() -> None:
    assert said(*Q, copy_of("ema.0.weight", "q.0.weight", (0, 4), rate=0.01))[-1] == "averaged from q"


def test_layers_of_other_names_are_one_copy() -> None:
    """Keras numbers the layers of a copy on, and so no tensor ends as its source does."""
    first = copy_of("net.target.dense_2.kernel", "net.online.dense.kernel", (2, 2))
    second = copy_of("net.target.dense_3.kernel", "net.online.dense_1.kernel", (2, 2))
    assert said(*NET, first, second)[2:] == ["copied from online (2 of 2 checks)"] * 2


def test_a_whole_of_which_a_part_is_no_copy_is_none() -> None:
    first = copy_of("net.target.dense_2.kernel", "net.online.dense.kernel", (2, 2))
    other = copy_of("net.target.dense_3.kernel", None)
    assert said(*NET, first, other)[2:] == ["copied from net.online.dense (2 of 2 checks)", "by step"]
