"""The HTML report in a browser: it loads nothing else, nothing overflows or is cut, on a screen, a telephone and paper.

Needs Chromium and Playwright; without them the tests are skipped, except where CI is set, which has to have them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from helpers_comparison import comparison

from servsim.report import write

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
LANGUAGES = {"en": "en", "zh": "zh-CN"}
PAPER = (688, 1001)
"""CSS pixels of A4 within the margins of the print style, 96 to the inch."""


def missing(what: str) -> Any:
    """Fails in CI, which would else be green without having looked."""
    say = pytest.fail if os.environ.get("CI") else pytest.skip
    return say(f"{what} is not installed")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright (pip install -e '.[test]')")
    if CHROMIUM is None:
        missing("chromium (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Language → report.html."""
    folder = tmp_path_factory.mktemp("reports")
    for language in LANGUAGES:
        write(comparison(language=language), folder / language, language)
    return {language: folder / language / "report.html" for language in LANGUAGES}


class Shown:
    """A report as the browser shows it, and what the browser complained of or asked for."""

    def __init__(self, browser: Any, report: Path, width: int = 1280, height: int = 900) -> None:
        self.page = browser.new_page(viewport={"width": width, "height": height})
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda told: self.complaints.append(told.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(report.as_uri())

    def boxes(self, selector: str) -> list[dict[str, float]]:
        """left, right, width, height of each element, and how far its content reaches beyond it."""
        return self.page.evaluate(BOXES, selector)


BOXES = """selector => [...document.querySelectorAll(selector)].map(element => {
  const box = element.getBoundingClientRect();
  return {left: box.left, right: box.right, width: box.width, height: box.height,
          over: element.scrollWidth - element.clientWidth};
})"""


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_stands_alone_and_nothing_overflows(
    browser: Any, reports: dict[str, Path], language: str, width: int, tmp_path: Path
) -> None:
    shown = Shown(browser, reports[language], width)
    assert shown.requests == [reports[language].as_uri()]
    assert shown.complaints == []
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= width
    pictures = shown.boxes("figure svg")
    assert len(pictures) >= 6
    assert all(box["width"] > 200 and box["height"] > 80 for box in pictures)
    assert all(box["right"] <= width for box in shown.boxes("h1, h2, h3, p, li, pre, .scroll, figure, nav"))
    shown.page.screenshot(path=tmp_path / "page.png", full_page=True)
    assert (tmp_path / "page.png").stat().st_size > 50_000
    shown.page.close()


def test_the_page_says_its_language_and_its_headings_are_in_order(
    browser: Any, reports: dict[str, Path], language: str
) -> None:
    page = Shown(browser, reports[language]).page
    assert page.evaluate("document.documentElement.lang") == LANGUAGES[language]
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    links = page.evaluate("[...document.querySelectorAll('nav a')].map(a => a.getAttribute('href').slice(1))")
    assert len(links) > 3
    assert all(page.evaluate("id => document.getElementById(id) !== null", link) for link in links)
    page.close()


def test_all_text_has_enough_contrast(browser: Any, reports: dict[str, Path], language: str) -> None:
    page = Shown(browser, reports[language]).page
    assert page.evaluate(CONTRAST) == []
    page.close()


CONTRAST = """() => {
  const light = colour => {
    const parts = colour.match(/[\\d.]+/g).slice(0, 3).map(c => c / 255)
      .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if (!/, 0\\)|transparent/.test(colour)) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const words = [...document.querySelectorAll('body *:not(svg):not(svg *)')].filter(e =>
    [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()));
  return words.filter(e => {
    const [a, b] = [light(getComputedStyle(e).color), light(behind(e))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5;
  }).map(e => e.outerHTML.slice(0, 80));
}"""


def test_nothing_is_cut_in_print(browser: Any, reports: dict[str, Path], language: str, tmp_path: Path) -> None:
    shown = Shown(browser, reports[language], *PAPER)
    shown.page.emulate_media(media="print")
    wide, high = PAPER
    assert all(box["right"] <= wide + 1 for box in shown.boxes("table, figure, svg, p, li, pre"))
    assert all(box["height"] < high for box in shown.boxes("figure"))
    assert all(box["over"] <= 0 for box in shown.boxes(".scroll"))
    kept = "[...document.querySelectorAll('figure, tr')].every(e => getComputedStyle(e).breakInside == 'avoid')"
    assert shown.page.evaluate(kept)
    printed = shown.page.pdf(path=tmp_path / "page.pdf", format="A4", prefer_css_page_size=True)
    assert printed.startswith(b"%PDF")
    assert printed.count(b"/Type /Page\n") >= 3
    shown.page.close()
