# ruff: noqa: INP001
"""Do ten tasks in the app as a person would and write what they took: `docs/app_tasks.py`, into `docs/app-tasks.md`.

The tasks are those of `tests/browser/tasks.py`, which `make test` runs as well. Then every page is opened by its
address, with an empty cache and once more.
"""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from playwright.sync_api import Browser, BrowserContext, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))

from conftest import FLAGS
from person import IDLE, PATIENCE_MS, Kind, Person, Reaction
from serving import served_checkpoint
from tasks import CHECKPOINT, TASKS, Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OUT = Path(__file__).with_name("app-tasks.md")
SIZE = {"width": 1280, "height": 720}
MAP, CHARTS = ".htp-map[data-roads]:not([data-roads='0'])", ".js-plotly-plot"
PAGES = {  # title: address, what is on the page when it is there
    "Generate": ("", MAP),
    "Times of day": ("times_of_day", MAP),
    "Demand": ("demand", ".htp-map[data-areas]:not([data-areas='0'])"),
    "Scenario": ("scenario", ".htp-map[data-areas]:not([data-areas='0'])"),
    "Distributions": ("distributions", CHARTS),
    "Density": ("density", ".htp-map[data-areas]:not([data-areas='0'])"),
    "Evaluate": ("evaluate", ".st-key-page [role=alert], .st-key-page .stAlert"),
    "Codebook": ("codebook", ".htp-gallery button"),
    "Data and models": ("data", ".st-key-card"),
}
GOAL_ANSWER_S, GOAL_PAGE_S = 0.3, 2.0
PAINTED = """() => [performance.getEntriesByName("first-contentful-paint")[0].startTime, performance.now()]"""
HEAD = """# What ten tasks take in the app

Written by `python docs/app_tasks.py`, which does each task in headless Chromium (1280 × 720, drawn in software) on the
city that ships, as `tests/browser/test_ten_tasks_in_chromium.py` does in every test run. {machine}

## Tasks

Each begins on the page that it is about; a drag counts as a click, a file that is put in as a field. **Reaction**: the
slowest time from a click or key to the settled answer of the page (the answer is there, Streamlit is done, two pictures
were drawn). **Work**: the longest wait for generation, evaluation or a link's trips, during which the app shows how far
it is. The first to look into the codebook waits for the held-out trips to be encoded, once for everybody.

"""


@dataclass(frozen=True)
class Done:
    """A task that was done."""

    task: Task
    person: Person
    answer: str


def main() -> None:
    """Do the tasks, open the pages, write the file."""
    before = os.getloadavg()[0]
    with (
        TemporaryDirectory() as folder,
        served_checkpoint(CHECKPOINT, Path(folder)) as url,
        sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        done = list(_do_tasks(_context(browser), url, Path(folder)))
        pages = {title: _open_twice(browser, url + link, there) for title, (link, there) in PAGES.items()}
        machine = _machine(browser.version, before, os.getloadavg()[0])
        browser.close()
    OUT.write_text(HEAD.format(machine=machine) + _tasks(done) + _pages(pages), encoding="utf-8")


def _do_tasks(context: BrowserContext, url: str, folder: Path) -> Iterator[Done]:
    for task in TASKS:
        person = Person(context.new_page(), url, folder)
        answer = task.do(person)
        print(f"{task.question} {answer}")  # noqa: T201
        yield Done(task, person, answer)
        person.page.close()


def _context(browser: Browser) -> BrowserContext:
    context = browser.new_context(viewport=SIZE, accept_downloads=True)
    context.set_default_timeout(PATIENCE_MS)
    return context


def _open_twice(browser: Browser, url: str, there: str) -> tuple[list[float], list[float]]:
    """Return the seconds to the first paint and to the page itself, with an empty cache and once more."""
    context = _context(browser)
    taken = []
    for _ in range(2):
        page = context.new_page()
        page.goto(url)
        page.locator(there).first.wait_for()
        page.wait_for_selector(IDLE)
        taken.append([at / 1000 for at in page.evaluate(PAINTED)])
        page.close()
    context.close()
    return taken[0], taken[1]


def _tasks(done: Sequence[Done]) -> str:
    rows = [
        "| who | task | answer | clicks | fields | reaction | work |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in done:
        person = one.person
        cells = [one.task.who, one.task.question, one.answer, str(person.clicks), str(person.fields)]
        rows.append(f"| {' | '.join([*cells, _said(person.slowest(Kind.answer)), _said(person.slowest(Kind.work))])} |")
    answers = [found for one in done for found in one.person.reactions if found.kind is Kind.answer]
    slowest = max(answers, key=lambda found: found.seconds)
    quick = sum(found.seconds <= GOAL_ANSWER_S for found in answers)
    drawing = statistics.median(found.seconds - found.ran_s for found in answers)
    return (
        "\n".join(rows) + f"\n\nOf {len(answers)} reactions without work {quick} took {GOAL_ANSWER_S * 1000:.0f} ms or "
        f"less, the goal; half took {statistics.median(found.seconds for found in answers):.2f} s or less, the slowest "
        f"({slowest.what}) {slowest.seconds:.2f} s, {slowest.ran_s:.2f} s of them until Streamlit was done. Half spent "
        f"{drawing:.2f} s or more on drawing, which a graphics card does.\n"
    )


def _said(found: Reaction | None) -> str:
    return "" if found is None else f"{found.seconds:.2f} s, {found.what}"


def _pages(pages: dict[str, tuple[list[float], list[float]]]) -> str:
    rows = [
        "\n## Pages\n",
        "Seconds from opening a page's address to its first paint and to the page itself (map, charts or text), in a",
        f"new browser and once more; the goal is {GOAL_PAGE_S:.0f} s.\n",
        "| page | first paint | the page | again: first paint | the page |",
        "| --- | --- | --- | --- | --- |",
    ]
    rows += [
        f"| {title} | {' | '.join(f'{seconds:.2f}' for seconds in (*new, *again))} |"
        for title, (new, again) in pages.items()
    ]
    return "\n".join(rows) + "\n"


def _machine(chromium: str, before: float, after: float) -> str:
    info = Path("/proc/cpuinfo")
    models = [line for line in info.read_text().splitlines() if line.startswith("model name")] if info.exists() else []
    model = models[0].partition(":")[2].strip() if models else platform.processor()
    return (
        f"Measured\non {os.cpu_count()} cores ({model}, {platform.system()}), Chromium {chromium}; load average "
        f"{before:.1f} when it began and {after:.1f} when it ended (more than the "
        f"cores: everything waited for its turn); niceness {os.nice(0)} (above 0: other programs went first)."
    )


main()
