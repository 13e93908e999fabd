"""The wheel holds all that frostline needs, its text leads somewhere, and all addresses are the project's."""

import email
import re
import tomllib
import zipfile
from pathlib import Path

import pytest
from tests.package.building import ROOT, build, held, wanted

pytestmark = pytest.mark.needs("build", "hatchling")

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
HOME = PROJECT["project"]["urls"]["Repository"]
ADDRESSES = ("mkdocs.yml", "CITATION.cff", "CHANGELOG.md", "CODE_OF_CONDUCT.md", "examples/ci/pre-commit-config.yaml")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build(folder, "1577836800", "--wheel")
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> email.message.Message:
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(archive.read(name))


def test_the_wheel_holds_every_file_of_the_package_and_no_other(wheel: Path) -> None:
    files = {name for name in held(wheel) if ".dist-info/" not in name}
    assert files == wanted()
    kinds = {Path(name).suffix for name in files}
    assert {".jinja", ".css", ".js", ".pth", ".typed"} <= kinds
    with zipfile.ZipFile(wheel) as archive:
        assert {info.date_time[0] for info in archive.infolist()} == {2020}  # not the day of the build


def test_core_needs_no_framework_and_every_extra_is_explained(metadata: email.message.Message) -> None:
    required = [each for each in metadata.get_all("Requires-Dist", []) if "extra ==" not in each]
    names = {re.split(r"[ >=<\[]", each)[0] for each in required}
    assert names == {"click", "jinja2", "msgspec", "numpy", "rich", "wrapt", "xxhash"}
    page = (ROOT / "docs" / "install.md").read_text("utf-8")
    assert set(re.findall(r"(?m)^\| `(\w+)` \|", page)) == set(metadata.get_all("Provides-Extra", []))


def test_the_text_for_the_index_has_whole_links_alone(metadata: email.message.Message) -> None:
    text = str(metadata.get_payload())
    outside_code = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    links = re.findall(r"\]\(([^)]+)\)", outside_code)
    assert len(links) > 20
    assert [link for link in links if not link.startswith("https://")] == []
    assert f"]({HOME}/blob/main/docs/limits.md)" in text
    assert f"]({HOME}/raw/main/docs/report.png)" in text


@pytest.mark.parametrize("name", ADDRESSES)
def test_addresses_of_the_project_are_those_of_its_metadata(name: str) -> None:
    found = re.findall(r"https://[\w./-]*/frostline\b", (ROOT / name).read_text("utf-8"))
    assert found
    assert set(found) == {HOME}


def test_metadata_names_pages_and_every_python_that_is_tried(metadata: email.message.Message) -> None:
    urls = dict(each.split(", ") for each in metadata.get_all("Project-URL", []))
    assert set(urls) == {"Repository", "Documentation", "Changelog", "Issues"}
    assert all(url.startswith(HOME) for url in urls.values())
    tried = re.findall(r"python3\.\d+", re.search(r"^PYTHONS \?= (.*)", (ROOT / "Makefile").read_text(), re.M)[1])
    classifiers = metadata.get_all("Classifier", [])
    claimed = {each.rpartition(" ")[2] for each in classifiers if re.search(r":: 3\.\d+$", each)}
    assert claimed <= {each.removeprefix("python") for each in tried}
