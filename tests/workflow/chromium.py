"""Pages in a headless Chromium: what a script finds on them, and how they are drawn."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ANSWER = "answer-of-the-test"
TIME = 60_000  # milliseconds of the page's own clock, which runs as fast as it can
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # no network
    f"--virtual-time-budget={TIME}",
)
SCRIPT = """
<script>
addEventListener("load", async () => {
  const pause = () => new Promise(resolve => setTimeout(resolve, 50));
  const answer = document.createElement("pre");
  answer.id = "%s";
  answer.hidden = true;
  try {
    answer.textContent = JSON.stringify(await (async () => { %s })() ?? null);
  } catch (error) {
    answer.textContent = JSON.stringify({error: String(error)});
  }
  document.documentElement.append(answer);
});
</script>
"""


def find_chromium() -> str | None:
    """The program that CHROMIUM names, or one in PATH."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def needs_chromium() -> pytest.MarkDecorator:
    """Skip a test where there is no Chromium."""
    reason = "no Chromium in PATH (install it, or name one with CHROMIUM)"
    return pytest.mark.skipif(find_chromium() is None, reason=reason)


def evaluate(page: Path, script: str, size: str = "1200,1600") -> Any:
    """Open a page from its file, run the body of an asynchronous function in it, give its answer.

    Args:
        page: file of HTML.
        script: JavaScript; `await pause()` lets the page draw.
        size: width and height of the window in pixels.
    """
    with _with_script(page, script) as copy:
        shown = _run("--dump-dom", f"--window-size={size}", copy.as_uri())
    found = re.search(rf'<pre id="{ANSWER}" hidden="">(.*?)</pre>', shown, re.DOTALL)
    assert found, shown[-2000:]
    return json.loads(unescape(found[1]))


def screenshot(page: Path, picture: Path, script: str = "", size: str = "1200,1600") -> None:
    """Write what a window of this size shows, after the script, as .png."""
    with _with_script(page, script) as copy:
        _run(f"--screenshot={picture}", f"--window-size={size}", copy.as_uri())


@contextmanager
def _with_script(page: Path, script: str) -> Iterator[Path]:
    """A copy of the page beside it that runs the script once it is loaded."""
    copy = page.with_name(f"script-{page.name}")
    copy.write_text(page.read_text(encoding="utf-8") + SCRIPT % (ANSWER, script), encoding="utf-8")
    try:
        yield copy
    finally:
        copy.unlink()


def _run(*arguments: str) -> str:
    program = find_chromium()
    assert program is not None
    return subprocess.run(
        [program, *OPTIONS, *arguments], capture_output=True, text=True, timeout=300, check=True
    ).stdout
