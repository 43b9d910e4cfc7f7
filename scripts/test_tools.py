"""Find or install what the tests need beside Python packages: a browser, and fonts for Chinese.

Called by ``scripts/setup test`` with the Python of ``.venv``::

    test_tools.py browser RESULT LOG    write the path of a Chromium that starts to the file RESULT
    test_tools.py fonts RESULT LOG      write what was found to the file RESULT; never fails

Progress goes to standard output, the output of installers to the end of the file LOG.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

#: Seconds for Playwright's own download of a browser (about 110 MB): 5 Mbit/s are enough.
DOWNLOAD_LIMIT = 180
#: Seconds for a browser to start and to show a page.
START_LIMIT = 30

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_CHROME = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


def say(text: str) -> None:
    """Print a line of progress under the step's heading."""
    print(f"      {text}", flush=True)  # noqa: T201 - this is a command


def logged(log: Path, command: list[str], *, seconds: float | None = None, **environment: str) -> bool:
    """Run a command with its output in the log; true if it succeeded in time."""
    with log.open("a") as output:
        output.write(f"+ {' '.join(command)}\n")
        output.flush()
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=seconds,
                check=False,
                env={**os.environ, **environment},
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            output.write(f"{error}\n")
            return False
    return done.returncode == 0


def starts(browser: Path) -> str | None:
    """Why the browser doesn't start and show a page, in one line; nothing if it does."""
    if not browser.is_file():
        return "there is no such file"
    # The sandbox needs what a root user in a container hasn't got; these pages are our own.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    try:
        with sync_playwright() as playwright:
            started = playwright.chromium.launch(executable_path=browser, args=arguments, timeout=START_LIMIT * 1000)
            page = started.new_page()
            page.set_content("<title>ok</title>")
            title = page.title()
            started.close()
    except Error as error:
        return error.message.strip().splitlines()[0]
    return None if title == "ok" else "it shows no page"


def installed() -> list[Path]:
    """Browsers of this machine, the best known first."""
    found = [Path(path) for name in NAMES if (path := shutil.which(name))]
    return [*found, *([MAC_CHROME] if MAC_CHROME.exists() else [])]


def playwrights_own() -> Path | None:
    """The browser that Playwright has downloaded for itself, if it has."""
    with sync_playwright() as playwright:
        full = Path(playwright.chromium.executable_path)
    if full.is_file():
        return full
    # `--only-shell` puts the headless build beside where the full one would be.
    number = next((part.removeprefix("chromium-") for part in full.parts if part.startswith("chromium-")), "")
    folder = next((parent.parent for parent in full.parents if parent.name.startswith("chromium-")), None)
    if not folder or not folder.is_dir():
        return None
    shells = sorted((folder / f"chromium_headless_shell-{number}").glob("*/*headless*shell"))
    return next((shell for shell in shells if os.access(shell, os.X_OK)), None)


def can_apt() -> bool:
    """Whether Debian's packages can be installed without asking anybody."""
    return os.geteuid() == 0 and Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None


def apt_install(log: Path, package: str) -> bool:
    """Install one of Debian's packages."""
    logged(log, ["apt-get", "update"])  # another source's failure need not matter
    command = ["apt-get", "install", "-y", "--no-install-recommends", package]
    return logged(log, command, DEBIAN_FRONTEND="noninteractive")


def require_driver(log: Path) -> None:
    """See that Playwright's driver (Node.js inside its package) runs at all.

    A minimal Debian lacks the one library that it needs from the system. Raises ``SystemExit`` with one sentence.
    """
    command = [sys.executable, "-m", "playwright", "--version"]
    if logged(log, command, seconds=START_LIMIT):
        return
    if can_apt():
        say("installing libatomic1, which Playwright's driver needs")
        apt_install(log, "libatomic1")
        if logged(log, command, seconds=START_LIMIT):
            return
    raise SystemExit(
        "setup: Playwright's driver doesn't run here, mostly for want of the library libatomic "
        f"(Debian's package libatomic1): install it, then run this again (details in {log})."
    )


def find_browser(log: Path) -> Path:
    """A Chromium that starts; installs one if there is none.

    Raises ``SystemExit`` with one sentence if that is impossible.
    """
    require_driver(log)
    chosen = os.environ.get("KAGENTBOT_TEST_BROWSER")
    if chosen:
        reason = starts(Path(chosen))
        if reason:
            raise SystemExit(f"setup: KAGENTBOT_TEST_BROWSER={chosen} can't be used: {reason}.")
        return Path(chosen)

    for browser in installed():
        reason = starts(browser)
        if not reason:
            return browser
        say(f"{browser} can't be used: {reason}")

    own = playwrights_own()
    if not own:
        say(f"downloading Playwright's Chromium (at most {DOWNLOAD_LIMIT} s)")
        command = [sys.executable, "-m", "playwright", "install", "--only-shell", "chromium"]
        logged(log, command, seconds=DOWNLOAD_LIMIT)
        own = playwrights_own()
    if own and not starts(own):
        return own

    if can_apt():
        say("that did not work; installing Debian's package chromium")
        apt_install(log, "chromium")
        for browser in installed():
            if not starts(browser):
                return browser

    raise SystemExit(
        "setup: no browser for the tests: install Chromium or Chrome, "
        f"or name one with KAGENTBOT_TEST_BROWSER=/path/to/chromium (details in {log})."
    )


def shows_chinese() -> bool:
    """Whether a font for Chinese is installed, as far as this can be found out."""
    if sys.platform == "darwin":
        return True
    if not shutil.which("fc-list"):
        return False
    listed = subprocess.run(["fc-list", ":lang=zh"], capture_output=True, text=True, check=False)
    return bool(listed.stdout.strip())


def find_fonts(log: Path) -> str:
    """Install fonts for Chinese where that is possible; what came of it, in one word or sentence."""
    if shows_chinese():
        return "found"
    if can_apt() and apt_install(log, "fonts-noto-cjk"):
        return "installed"
    return "No font for Chinese: the tests run, but screenshots show boxes instead of characters."


def main() -> None:
    """Do what the command line says."""
    what, result, log = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    if what == "browser":
        browser = find_browser(log)
        say(str(browser))
        result.write_text(f"{browser}\n")
        return
    found = find_fonts(log)
    say(found)
    result.write_text(f"{found}\n")


if __name__ == "__main__":
    main()
