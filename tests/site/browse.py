"""Looks at the built site in headless Chromium: `make docs-test`.

Every page of the navigation has to load without a message on the console, show all its images and
equations, and fit a screen of 400 pixels; the search has to find what is there. Screenshots are in
build/site-screens. Needs the Debian packages `chromium` and `chromium-driver`, or their like.
"""

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By

BUILD = Path(__file__).parents[2] / "build"
SITE, SCREENS = BUILD / "site", BUILD / "site-screens"
WIDE, NARROW, HIGHEST = 1280, 400, 12000
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars")
# All images are loaded at once, and the problems of the page told.
LOAD = "document.querySelectorAll('img').forEach(image => image.loading = 'eager')"
LOADED = "return [...document.images].every(image => image.complete)"
EMPTY = "return [...document.images].filter(i => !i.naturalWidth).map(i => i.src)"
RAW = "return [...document.querySelectorAll('math, .arithmatex')].map(e => e.textContent)"
TEXT = "return document.body.innerText"
WIDTH = "return document.documentElement.scrollWidth"
HEIGHT = "return document.documentElement.scrollHeight"
LINKS = "return [...document.querySelectorAll('.md-nav--primary a')].map(link => link.href)"


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without telling."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a server of the files in a folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@contextmanager
def browser() -> Iterator[Chrome]:
    """A headless Chromium."""
    options = ChromeOptions()
    options.binary_location = next(filter(None, map(shutil.which, BROWSERS)))
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in FLAGS:
        options.add_argument(flag)
    chrome = Chrome(options, ChromeService(shutil.which("chromedriver")))
    yield chrome
    chrome.quit()


def resize(chrome: Chrome, width: int, height: int = 900) -> None:
    """Give the window a size."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def until(done: Callable[[], object], seconds: float = 10.0) -> object:
    """Wait until something is there, and return it; None if it never is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := done():
            return found
        time.sleep(0.05)
    return None


def screenshot(chrome: Chrome, width: int, name: str) -> None:
    """A picture of the whole page."""
    resize(chrome, width, min(chrome.execute_script(HEIGHT), HIGHEST))
    time.sleep(0.3)
    chrome.save_screenshot(str(SCREENS / f"{name}.png"))


def problems(chrome: Chrome, address: str, name: str) -> Iterator[str]:
    """What is wrong with one page."""
    resize(chrome, WIDE)
    chrome.get(address)
    chrome.execute_script(LOAD)
    until(lambda: chrome.execute_script(LOADED))
    yield from (f"console: {line['message']}" for line in chrome.get_log("browser"))
    yield from (f"image without size: {source}" for source in chrome.execute_script(EMPTY))
    yield from (f"equation: {text}" for text in chrome.execute_script(RAW) if "\\" in text)
    if "```" in chrome.execute_script(TEXT):
        yield "a fence that is none"
    screenshot(chrome, WIDE, name)
    resize(chrome, NARROW)
    if (width := chrome.execute_script(WIDTH)) > NARROW:
        yield f"{width} pixels wide on a screen of {NARROW}"
    screenshot(chrome, NARROW, f"{name}-narrow")


def search_problems(chrome: Chrome, address: str, word: str) -> Iterator[str]:
    """Whether the search finds a word."""
    resize(chrome, WIDE)
    chrome.get(address)
    chrome.find_element(By.CSS_SELECTOR, "label[for=__search]")
    chrome.execute_script("document.querySelector('#__search').click()")
    chrome.find_element(By.CSS_SELECTOR, ".md-search__input").send_keys(word)
    found = until(lambda: chrome.find_elements(By.CSS_SELECTOR, ".md-search-result__item"))
    time.sleep(0.5)
    chrome.save_screenshot(str(SCREENS / "search.png"))
    if not found:
        yield f"the search does not find {word}"


def dark(chrome: Chrome, address: str) -> None:
    """A picture of a page as readers see it who prefer dark colours."""
    preferred = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", preferred)
    chrome.execute_script("localStorage.clear()")
    chrome.get(address)
    screenshot(chrome, WIDE, "dark")


def main() -> int:
    """Look at everything; the exit status is 1 if something is wrong."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    found = []
    with served(SITE) as address, browser() as chrome:
        chrome.get(f"{address}/index.html")
        links = {link.partition("#")[0] for link in chrome.execute_script(LINKS)}
        for link in sorted(link for link in links if link.startswith(address)):
            name = link.removeprefix(f"{address}/").removesuffix(".html").replace("/", "-")
            found += [f"{name}: {problem}" for problem in problems(chrome, link, name)]
        found += search_problems(chrome, f"{address}/index.html", "temperature")
        dark(chrome, f"{address}/index.html")
    print("\n".join(found) or f"{len(links)} pages, nothing wrong; see {SCREENS}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
