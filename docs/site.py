"""What the site has beside its pages: the version in its header, and the changelog as a page."""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from frostline.version import __version__

CHANGELOG = "CHANGELOG.md"


def on_config(config: MkDocsConfig) -> None:
    """Give the header the version."""
    config.extra["version_of_package"] = __version__


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add the changelog, which lies beside the folder of pages: its links into that folder are links between pages."""
    text = (Path(config.config_file_path).parent / CHANGELOG).read_text("utf-8")
    files.append(File.generated(config, "changelog.md", content=text.replace("](docs/", "](")))
