"""Writes docs/report.png: the HTML report of examples/partly_frozen.py, as Chromium shows it."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

HERE = Path(__file__).parent
SCRIPT = HERE.parent / "examples" / "partly_frozen.py"
PICTURE = HERE / "report.png"
WIDTH, HEIGHT, SCALE = 1120, 2560, 0.7


def observed(folder: Path) -> Path:
    """The report of the example's run."""
    data, page = folder / "run.json", folder / "report.html"
    command = [sys.executable, "-m", "frostline"]
    subprocess.run([*command, "run", "--quiet", "--data", str(data), SCRIPT.name], cwd=SCRIPT.parent, check=True)
    subprocess.run(
        [*command, "report", str(data), "--format", "html", "--output", str(page), "--fail-on", "never"], check=True
    )
    return page


def photographed(page: Path) -> None:
    """Open the page, choose the embedding in the map, and keep what is seen."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        f"--window-size={WIDTH},{HEIGHT}",
        f"--force-device-scale-factor={SCALE}",
    ):
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        browser.get(f"{page.as_uri()}#tensor=model.embed.weight")
        browser.execute_script("scrollTo(0, 0)")
        browser.execute_script(f"document.documentElement.style.height = '{HEIGHT}px'")
        browser.save_screenshot(str(PICTURE))
    finally:
        browser.quit()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        photographed(observed(Path(temporary)))
