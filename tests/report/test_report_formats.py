"""Reports say the same in every format, stay inside their columns, and let no name break them."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from report_records import SAMPLES, a_run, record, tensor_row
from rich.cells import cell_len
from rich.style import Style

from frostline.core.events import SummaryPrinted
from frostline.core.ledger import Movement, OptimizerRow
from frostline.core.record import Finding, FindingOrigin
from frostline.core.run import Run
from frostline.core.storage.store import from_json, to_json
from frostline.core.verdict import headline, worst
from frostline.errors import UnknownName
from frostline.report import FORMATS, markdown, render, terminal
from frostline.report.form import ROLES, Prose, Section, Span, View, line, visible

GOLD = Path(__file__).parent / "gold"
HOSTILE = [
    "model.\x1b[31mred\x1b[0m.weight",
    "model.[red]markup[/red].weight",
    "model.new\nline\r.weight",
    "model.back`tick|pipe`.weight",
    "model.漢字の層.weight",
    "model." + "very_long_" * 300 + ".weight",
    "model" + ".x" * 3000,
    "model.\u202eright-to-left\u2066.weight",
    "model.<script>alert(1)</script>.*bold*_._weight_",
    "model.\udcff.weight",
    "model..",
    "model",
    "",
]
# Escape sequences, and the characters that steer a terminal or a reading direction.
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def hostile():
    rows = [
        tensor_row(name, 3, model="model", optimizer=f"A\x1b[2Jdam{index}", changed="no")
        for index, name in enumerate(HOSTILE)
    ]
    rows[3].unknown = {"changed": "\x1b]0;title\x07 | `reason`\n"}
    rows[0].aliases = [HOSTILE[2]]
    finding = Finding(
        "rule", "X999", "error", HOSTILE, HOSTILE[0] * 9, {"\x1b[1mkey_" * 9: HOSTILE, "nul": "\x00"}, "\x1b[5mhint"
    )
    optimizers = [OptimizerRow("A\x1b[2Jdam", "optimizer", "\x07")]
    events = [SummaryPrinted(step=0, summary=0, model="model\x1b[3m", total=1)]
    run = a_run(command=["a\x1b[1m.py", "漢" * 200], faults=["\x9b31m"], ended_by="\r", complete=False)
    return record(rows, findings=[finding], optimizers=optimizers, events=events, run=run)


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("kind", ["text", "verbose", "markdown"])
def test_golden(sample, kind):
    """The checked-in texts; set FROSTLINE_REGOLD=1 to write them again, then read the difference."""
    gold = GOLD / f"{sample}.{kind}"
    format, verbose = ("text", True) if kind == "verbose" else (kind, False)
    made, stored = SAMPLES[sample](), ".frostline.json"
    found = render(made, format, width=80, color=False, encoding="utf-8", stored=stored, verbose=verbose) + "\n"
    if os.environ.get("FROSTLINE_REGOLD"):
        gold.parent.mkdir(exist_ok=True)
        gold.write_text(found, encoding="utf-8")
    assert found == gold.read_text(encoding="utf-8")


def test_every_golden_text_has_its_sample():
    assert {path.stem for path in GOLD.iterdir()} == set(SAMPLES)


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("sample", [*SAMPLES.values(), hostile])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("verbose", [False, True])
def test_no_line_but_the_first_is_wider_than_asked(sample, width, encoding, verbose):
    _, *lines = render(sample(), width=width, color=False, encoding=encoding, verbose=verbose).splitlines()
    assert [text for text in lines if cell_len(text) > width] == []


def test_numbers_are_not_cut_where_words_can_be():
    rows = [
        tensor_row(
            f"a_rather_long_model_name.a_block_with_a_long_name_{i}", 10**6, 10**3 + i, optimizer=f"optimizer-{i}" * 3
        )
        for i in range(3)
    ]
    text = render(record(rows), width=60, color=False, encoding="utf-8")
    for row in rows:
        assert f"{row.size:,}" in text


@pytest.mark.parametrize("sample", [*SAMPLES.values(), hostile])
@pytest.mark.parametrize("format", ["text", "markdown"])
def test_no_control_character_comes_through(sample, format):
    assert CONTROL.findall(render(sample(), format, color=False, encoding="utf-8")) == []


def test_hostile_names_stay_readable_text():
    text = render(hostile(), width=120, color=False, encoding="utf-8", verbose=True)
    for name in (r"\x1b[31mred\x1b[0m", "[red]markup[/red]", r"new\nline\r", "back`tick|pipe`", "漢字の層", r"\udcff"):
        assert name in text
    assert len(text.splitlines()) < 200


def test_colours_carry_no_more_than_the_text():
    """Without its escape codes the coloured text is the plain one, and hostile escape codes are not among them."""
    codes = re.compile(r"\x1b\[[0-9;]*m")
    for sample in (SAMPLES["resnet"], hostile):
        colored = render(sample(), width=80, color=True, encoding="utf-8")
        assert codes.search(colored)
        plain = "\n".join(text.rstrip() for text in codes.sub("", colored).split("\n"))
        assert plain == render(sample(), width=80, color=False, encoding="utf-8")


class Terminal:
    """Standard output that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("variables", "colored"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colours_on_a_terminal_unless_unwanted(monkeypatch, variables, colored):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout", Terminal())
    assert ("\x1b[" in render(SAMPLES["nothing"]())) is colored


def test_no_colours_and_eighty_columns_into_a_pipe(capsys):
    assert render(SAMPLES["resnet"](), encoding="utf-8") == render(
        SAMPLES["resnet"](), width=80, color=False, encoding="utf-8"
    )


@pytest.mark.parametrize("sample", [*SAMPLES.values(), hostile])
@pytest.mark.parametrize("width", [40, 80])
@pytest.mark.parametrize("verbose", [False, True])
def test_the_first_line_is_the_verdict_and_says_the_worst_finding(sample, width, verbose):
    made = sample()
    text, said = render(made, width=width, color=False, verbose=verbose), headline(made)
    assert " ".join(text.partition("\n\n")[0].split()) == f"frostline: {said}"
    assert render(made, "markdown").splitlines()[0] == f"## **frostline**: **{said}**"
    found = worst(made.findings)
    assert said.startswith("no contradiction" if found is None else found.rule.replace("-", " "))
    assert max(map(len, text.splitlines())) <= width


def test_a_narrow_table_leaves_columns_out_before_words_cannot_be_read():
    row = tensor_row("model.backbone.weight", 1_156, 1_156, trainable=False, optimizer="optimizer")
    row.changed.movements = [Movement("forward", 1, 2)]
    made = record([row], findings=[Finding("rule", "F101", "error", [row.name], "moved", {}, "look")])
    heads = {width: _table(made, width)[0].split() for width in (44, 60, 80)}
    assert heads[80] == ["module", "params", "declared", "optimizer", "changed", "how", "see"]
    assert heads[60] == ["module", "params", "declared", "changed", "how", "see"]
    assert heads[44] == ["module", "declared", "changed", "how", "see"]
    assert all("frozen" in line and "in forward" in line for line in _table(made, 44)[1:])


def _table(made, width):
    text = render(made, width=width, color=False, encoding="utf-8")
    return next(block for block in text.split("\n\n") if block.startswith("module")).splitlines()


@pytest.mark.parametrize("sample", ["article", "nothing"])
@pytest.mark.parametrize("width", [60, 80])
def test_a_healthy_run_has_at_most_twelve_lines(sample, width):
    lines = render(SAMPLES[sample](), width=width, color=False, stored="runs/of/today.json").splitlines()
    assert len(lines) <= 12


@pytest.mark.parametrize(("width", "most"), [(60, 10), (80, 8)])
def test_a_finding_has_at_most_eight_lines_and_two_more_where_they_are_narrow(width, most):
    names = [f"model.m{index}.{'abcde'[index % 5]}" for index in range(40)]
    rows = [tensor_row(name, 2) for name in names] + [tensor_row(f"model.m{index}.other", 2) for index in range(40)]
    words = "a message of very many words that says more than anybody reads, and then more; " * 9
    origins = [FindingOrigin("optimizer made", "examples/train.py", 18, words) for _ in range(4)]
    found = Finding("slug", "F100", "error", names, words, {"evidence": 1}, words, origins=origins)
    lines = render(record(rows, findings=[found]), width=width, color=False).splitlines()
    begins = lines.index("")
    assert lines.index("", begins + 1) - begins - 1 <= most
    assert "evidence" not in "".join(lines).replace("shows all evidence", "")


def test_the_fix_is_whole_at_sixty_columns():
    message = "2 tensors (544 parameters) declared frozen moved (first seen at step 5, optimizer)"
    fix = "after optimizer_before_freeze.py:33 make the optimizer of optimizer_before_freeze.py:19 again"
    origins = [FindingOrigin("frozen", "train.py", line, "model.requires_grad_(False)") for line in (18, 19)]
    found = Finding("frozen-but-carried-by-momentum", "F102", "error", ["m.w"], message, {}, fix, origins=origins)
    text = render(record([tensor_row("m.w", 1)], findings=[found]), width=60, color=False)
    assert fix in " ".join(text.split())


def test_of_many_findings_the_gravest_are_shown_and_the_others_counted():
    findings = [Finding("slug", f"N{number}", "note", [], "m", {}, "h") for number in range(9)]
    findings.append(Finding("slug", "E1", "error", [], "m", {}, "h"))
    text = render(record([tensor_row("m.w", 1)], findings=findings), color=False)
    assert text.splitlines()[2] == "error: E1 slug: m"
    assert "and 4 more findings: N5, N6, N7, N8" in text
    assert "why it matters: frostline explain E1" in text


def test_the_end_says_where_the_run_is_and_how_to_see_more_of_it():
    text = render(SAMPLES["resnet"](), width=80, color=False, stored="runs/7.json")
    end = "stored in runs/7.json; frostline report runs/7.json --html makes the page, --verbose shows all evidence"
    assert " ".join(text.split()).endswith(f"{end} why it matters: frostline explain F107")
    assert "stored in" not in render(SAMPLES["resnet"](), color=False)


def test_json_is_the_stored_document():
    made = SAMPLES["adapters"]()
    text = render(made, "json")
    assert text.encode() == to_json(made)
    assert from_json(text.encode()) == made


def test_an_unknown_format_names_the_nearest():
    with pytest.raises(UnknownName, match="there is no report format 'markdwon'") as error:
        render(SAMPLES["nothing"](), "markdwon")
    assert error.value.hint == "did you mean markdown?"
    assert set(FORMATS) == {"text", "json", "markdown", "html", "sarif", "junit", "github"}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_is_known_to_each_renderer(role):
    Style.parse(terminal.STYLES[role])
    assert role in markdown.MARKUP
    view = View((), (Section(Span(""), (Prose(line(Span("word", role))),)),))
    assert "word" in terminal.render(view, color=True)
    assert "word" in markdown.render(view)


def test_renderers_know_no_further_roles():
    assert set(terminal.STYLES) == set(markdown.MARKUP) == set(ROLES)


def test_ascii_where_the_stream_prints_nothing_else():
    text = render(SAMPLES["adapters"](), width=80, color=False, encoding="ascii", verbose=True)
    assert text.isascii()
    assert "| | ` mlp " in text
    assert render(SAMPLES["adapters"](), "markdown", encoding="ascii").isascii()
    assert render(SAMPLES["adapters"](), color=False, encoding="no-such-encoding").isascii()
    # cp437 has lines but no ellipsis; latin-1 has neither
    for encoding in ("cp437", "latin-1"):
        render(hostile(), color=False, encoding=encoding).encode(encoding)


def test_an_incomplete_run_says_how_far_it_is_known():
    text = render(SAMPLES["gan"](), color=False, encoding="utf-8")
    assert "incomplete: known up to step 640 only, ended by SIGKILL" in text
    assert "incomplete" not in render(SAMPLES["article"](), color=False)


def test_ten_thousand_tensors_are_short():
    rows = []
    for block in range(1000):
        for name in range(10):
            frozen = block < 900
            rows.append(
                tensor_row(
                    f"model.blocks.{block}.mlp.{name}.weight",
                    8,
                    trainable=not frozen,
                    changed="no" if frozen or (block, name) == (950, 3) else "yes",
                    optimizer=None if frozen else "AdamW",
                )
            )
    still = Finding("zero-gradient", "T204", "error", ["model.blocks.950.mlp.3.weight"], "one", {}, "look")
    many = Finding("frozen-random-weights", "D306", "note", [row.name for row in rows[:9000]], "many", {}, "load")
    made = record(rows, findings=[still, many])
    text = render(made, color=False, encoding="utf-8", verbose=True)
    assert len(text.splitlines()) < 60
    assert len(render(made, color=False).splitlines()) < 24
    assert "9,000 parameters: model.blocks.{0–899}.mlp.**" in text
    assert "├ 0–899 ×900" in text
    assert "900–949, 951–999 ×99" in text
    assert "error: T204 zero-gradient" in text


def test_a_bound_on_rows_holds_where_nothing_is_alike():
    rows = [
        tensor_row(f"model.{'abcdefghij'[i % 10]}{i}.{bit}", 2, trainable=bool(i >> bit & 1))
        for i in range(200)
        for bit in range(8)
    ]
    text = render(record(rows), color=False, encoding="utf-8", verbose=True)
    assert len(text.splitlines()) < 80
    assert re.search(r"└ … \d+ more", text)


def test_forty_tensors_are_folded_to_a_few_names():
    names = [f"model.m{index}.{'abcde'[index % 5]}" for index in range(40)]
    rows = [tensor_row(name, 2) for name in names] + [tensor_row(f"model.m{index}.other", 2) for index in range(40)]
    text = render(
        record(rows, findings=[Finding("r", "F100", "error", names, "m", {}, "h")]), color=False, verbose=True
    )
    assert "40 parameters: model.m0.a, model.m1.b, model.m2.c and 37 more" in " ".join(text.split())


def test_errors_come_first_and_causes_keep_their_place():
    order = [("A1", "note"), ("A2", "error"), ("A3", "warning"), ("A4", "error"), ("A5", "note")]
    findings = [Finding("slug", code, severity, [], "m", {}, "h") for code, severity in order]
    text = render(record([tensor_row("m.w", 1)], findings=findings), color=False)
    assert re.findall(r"^(?:error|warning|note): (A\d)", text, re.M) == ["A2", "A4", "A3", "A1", "A5"]


def test_a_finding_shows_every_kind_of_evidence():
    evidence = {
        "steps": 12_000,
        "c": 0.999990001,
        "on": True,
        "off": False,
        "gone": None,
        "names": ["a.b"] * 9,
        "s": "x",
    }
    finding = Finding("slug", "F100", "error", ["m.w"], "fact", evidence, "do this")
    lines = render(record([tensor_row("m.w", 1)], findings=[finding]), color=False, verbose=True).splitlines()
    start = lines.index("error: F100 slug: fact")
    assert [re.split("  +", text.strip(), maxsplit=1) for text in lines[start + 1 : start + 11]] == [
        ["steps", "12,000"],
        ["c", "0.99999"],
        ["on", "yes"],
        ["off", "no"],
        ["gone", "not known"],
        ["names", "a.b, a.b, a.b, and 6 more"],
        ["s", "x"],
        ["tensors", "1 parameter: m.w"],
        ["fix", "do this"],
        ["why", "frostline explain F100"],
    ]


def test_an_unknown_without_a_reason_is_still_shown():
    text = render(record([tensor_row("m.w", 5, changed="unknown")]), color=False)
    assert "changed  its bits were not compared before the run ended; 1 parameter: m.w" in text


def test_an_empty_tensor_that_was_looked_at_is_not_unknown():
    text = render(record([tensor_row("m.w", 0, changed="no")]), color=False)
    assert re.search(r"^m +0 +trainable +\S +none$", text, re.M)


def test_markdown_keeps_names_whole_in_tables_and_text():
    text = render(hostile(), "markdown", encoding="utf-8")
    rows = [row for row in text.splitlines() if row.startswith("| ")]
    cells = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
    assert cells == {6, 7}  # five columns of numbers, six of the ledger
    assert "`` back`tick\\|pipe` ``" in text
    assert "<script>" not in re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
    assert "\n# heading" not in text


def test_markdown_escapes_what_is_not_a_name():
    view = View((), (Section(Span("a|b"), (Prose(line("# no *head* [x](y) <b> `c` 1")), Prose(line("1. x")))),))
    text = markdown.render(view)
    assert "### a\\|b" in text
    assert "\\# no \\*head\\* \\[x\\](y) &lt;b> \\`c\\` 1" in text
    assert "1\\. x" in text


def test_spans_cannot_hold_what_steers_a_terminal():
    assert Span("a\x1b[0m\u202e\n").text == "a\\x1b[0m\\u202e\\n"
    assert visible("é 漢 …") == "é 漢 …"


def test_many_models_and_programs_are_counted_not_shown():
    rows = [tensor_row(f"net_{index}.w", 5, optimizer=f"opt_{index}") for index in range(12)]
    optimizers = [OptimizerRow(f"opt_{index}", "optimizer", "SGD", 1) for index in range(12)]
    text = render(record(rows, optimizers=optimizers), color=False, encoding="utf-8", verbose=True)
    assert "and 4 more optimizers" in text
    assert "4 models with 20 parameters; see frostline report --format json" in text
    assert "Ledger of net_7 " in text
    assert "net_4" in (short := render(record(rows), color=False))
    assert "and 7 more" in short
    assert "net_8" not in text
    assert re.search(r"^all models together\n  declared trainable +60 +60 +0$", text, re.M)


def test_nobody_is_called_by_a_name_and_no_title_is_turned_round():
    named = replace(hostile(), run=Run(command=["train.py", "@everyone", "\u202egnp.x"], complete=True))
    assert not re.search(r"@(?!<!-- -->)\w", re.sub(r"`[^`]*`", "", render(named, "markdown", encoding="utf-8")))
    assert "\u202e" not in render(named, "html")


def test_a_finding_shows_the_lines_that_did_it_in_text_and_on_the_page():
    lines = [FindingOrigin("frozen", "train.py", number, "model.body.requires_grad_(False)") for number in (18, 19, 20)]
    finding = Finding("slug", "F100", "error", ["m.w"], "fact", {}, "do this", origins=lines)
    made = record([tensor_row("m.w", 1)], findings=[finding])
    said = "by train.py:{}  model.body.requires_grad_(False)"
    short, full = (render(made, color=False, verbose=verbose) for verbose in (False, True))
    assert [said.format(number) in short for number in (18, 19, 20)] == [True, True, False]
    assert all(f"frozen   {said.format(number)}" in full for number in (18, 19, 20))
    assert all(f"<code>frozen {said.format(number)}</code>" in render(made, "html") for number in (18, 19, 20))
