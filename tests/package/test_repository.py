"""The files by which a host knows the project are valid, and what its workflows run is what everybody runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.matrix.__main__ import CORNERS
from tests.package.building import ROOT

from frostline.version import __version__

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted((GITHUB / "ISSUE_TEMPLATE").glob("[0-9]*.yml"))
OF_SCHEMAS = {
    "vendor.github-workflows": WORKFLOWS,
    "vendor.github-issue-forms": FORMS,
    "vendor.github-issue-config": [GITHUB / "ISSUE_TEMPLATE" / "config.yml"],
    "vendor.citation-file-format": [ROOT / "CITATION.cff"],
}


def is_valid(schema: str, *paths: Path) -> bool:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *paths]
    return subprocess.run(command, capture_output=True).returncode == 0


@pytest.mark.needs("check_jsonschema")
@pytest.mark.parametrize("schema", OF_SCHEMAS)
def test_files_of_the_host_are_valid_by_their_published_schemas(schema: str) -> None:
    assert OF_SCHEMAS[schema]
    assert is_valid(schema, *OF_SCHEMAS[schema])


@pytest.mark.needs("check_jsonschema")
def test_a_form_without_a_body_is_none(tmp_path: Path) -> None:
    planted = tmp_path / "form.yml"
    planted.write_text(FORMS[0].read_text("utf-8").replace("body:", "boddy:"), "utf-8")
    assert not is_valid("vendor.github-issue-forms", planted)


def test_workflows_run_targets_of_the_makefile_and_may_write_nothing() -> None:
    targets = set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text("utf-8")))
    for path in WORKFLOWS:
        workflow = yaml.safe_load(path.read_text("utf-8"))
        assert workflow["permissions"] == {"contents": "read"}
        steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
        commands = [step["run"].split() for step in steps if "run" in step]
        assert commands, path.name
        assert all(command[0] == "make" and command[1] in targets for command in commands), path.name
        assert not any("${{" in step.get("run", "") for step in steps), path.name


def test_every_corner_has_its_requirements_and_two_are_tried_by_the_host() -> None:
    files = {path.stem for path in (ROOT / "tests" / "matrix").glob("*.txt")}
    assert files == set(CORNERS)
    assert all((ROOT / test).is_file() for corner in CORNERS.values() for test in corner.tests)
    workflow = yaml.safe_load((GITHUB / "workflows" / "matrix.yml").read_text("utf-8"))
    corners = workflow["jobs"]["corner"]["strategy"]["matrix"]["include"]
    assert {name for each in corners for name in each["corners"].split()} == set(CORNERS)


def test_the_version_has_its_section_in_the_changelog_and_is_cited() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.findall(r"(?m)^## \[(\d+\.\d+\.\d+)\]", changelog)[0] == __version__
    kinds = set(re.findall(r"(?m)^### (.*)$", changelog))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))["version"] == __version__
