"""Which line of the script set an attribute: known where one line alone can have done it."""

from pathlib import Path

import pytest

from frostline.observe import script_lines
from frostline.observe.script_lines import files_of_script, setter_of


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x = 1\nfor p in model:\n    p.require_grab = False\n", 3),
        ("p.a, p.require_grab = 1, False\n", 1),
        ("setattr(p, 'require_grab', False)\n", 1),
        ("p.require_grab = q.require_grab = False\n", None),  # on one line, but to two objects
        ("p.require_grab = False\nq.require_grab = False\n", None),
        ("p.require_grab = False\nsetattr(q, name, False)\n", None),  # whatever that name is
        ("print(p.require_grab)\n", None),
        ("p.require_grab = False\nthis is no Python\n", None),
    ],
)
def test_the_line_is_known_where_one_alone_sets_it(
    text: str, line: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "train_it.py"
    file.write_text(text, "utf-8")
    monkeypatch.setattr(script_lines, "files_of_script", lambda: [str(file)])
    found = setter_of("require_grab")
    assert (found.line if found is not None else None) == line
    if found is not None:
        assert found.source == text.splitlines()[found.line - 1].strip()


def test_the_files_are_those_of_the_script_and_no_packages() -> None:
    files = files_of_script()
    assert __file__ in files
    assert script_lines.__file__ not in files
    assert not any("site-packages" in file for file in files)
