"""The site: it builds with strict links, has a page for every rule, and fetches nothing from elsewhere."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from page_examples import ROOT

from frostline.laws.causes import CAUSES
from frostline.version import __version__

pytestmark = pytest.mark.needs("mkdocs", "mkdocstrings", "material")


def build(root: Path, site: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)],
        cwd=root, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(ROOT, folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_rule_and_every_guide_has_a_page(site: Path) -> None:
    pages = [f"rules/{rule.slug}" for rule in CAUSES]
    pages += ["start", "faq", "limits", "api", *(f"guides/{name}" for name in ("keras", "pytorch", "gans", "ci"))]
    assert [page for page in pages if not (site / page / "index.html").is_file()] == []


def test_the_interface_is_described_from_its_docstrings(site: Path) -> None:
    text = (site / "api" / "index.html").read_text("utf-8")
    assert all(f'id="frostline.{name}"' in text for name in ("watch.watch", "integrations.keras.WatchWeights"))
    assert "Observe the training inside a" in text


def test_the_header_leads_to_the_repository_the_version_and_what_changed(site: Path) -> None:
    text = (site / "faq" / "index.html").read_text("utf-8")
    assert f"frostline {__version__}" in text
    assert 'href="../changelog/"' in text
    assert re.search(r'href="https://[^"]*/edit/main/docs/faq\.md"', text)
    assert "[Unreleased]" not in (site / "changelog" / "index.html").read_text("utf-8")  # its links are links


@pytest.mark.parametrize("word", ["FSDP", "DDP", "jupyter", "colab", "mlflow", "wandb", "DeepSpeed", "false positive"])
def test_what_people_search_for_is_found_by_their_words(word: str, site: Path) -> None:
    found = json.loads((site / "search" / "search_index.json").read_text("utf-8"))["docs"]
    pages = [each["location"] for each in found if word.lower() in " ".join(each.get("tags", [])).lower()]
    assert any(page.startswith(("guides/", "troubleshooting/")) for page in pages)


def test_the_pages_fetch_nothing_from_elsewhere(site: Path) -> None:
    fetched = re.compile(r'<(?:script|img|link rel="(?:stylesheet|icon|preconnect)")[^>]*(?:src|href)="(https?:[^"]*)"')
    pages = [page.read_text("utf-8") for page in site.rglob("*.html")]
    assert len(pages) > len(CAUSES)
    assert [address for page in pages for address in fetched.findall(page)] == []


@pytest.mark.parametrize("link", ["[gone](nowhere.md)", "[gone](start.md#nowhere)", "![gone](nowhere.svg)"])
def test_a_planted_link_that_leads_nowhere_stops_the_build(link: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("rules", "api.md", ".nav.yml"))
    for page in (tmp_path / "docs").rglob("*.md"):
        page.write_text("# page\n", "utf-8")
    for name in ("mkdocs.yml", "CHANGELOG.md"):
        (tmp_path / name).write_text((ROOT / name).read_text("utf-8"), "utf-8")
    (tmp_path / "src").mkdir()
    assert build(tmp_path, tmp_path / "good").returncode == 0
    (tmp_path / "docs" / "index.md").write_text(f"# page\n\n{link}\n", "utf-8")
    done = build(tmp_path, tmp_path / "bad")
    assert done.returncode != 0
    assert "nowhere" in done.stderr
