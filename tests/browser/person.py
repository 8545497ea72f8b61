"""Use the app as a person does, and count: clicks, typed fields, the time from each to the settled answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator, Page

# when the person last did something and when Streamlit was last done; the answer's time is taken in the browser as
# well, after it has been painted
REMEMBER = """for (const kind of ["pointerup", "click", "keydown", "change"])
  addEventListener(kind, () => { window.acted = performance.now(); }, true);
new MutationObserver((changes) => {
  if (changes.some((change) => change.target.dataset.testScriptState === "notRunning")) window.ran = performance.now();
}).observe(document, { subtree: true, attributeFilter: ["data-test-script-state"] });"""
SINCE = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
  const acted = window.acted ?? 0;
  done([performance.now() - acted, Math.max((window.ran ?? 0) - acted, 0)]);
})))"""
PATIENCE_MS = 600_000  # for an answer on a machine that is busy with other work
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"


class Kind(Enum):
    """What a person waits for."""

    answer = "answer"  # of the page alone
    work = "work"  # generation, evaluation, encoding: the app shows how far it is
    link = "link"  # a page that is opened by its address


@dataclass(frozen=True)
class Reaction:
    """What a person did and how long the page took to settle its answer."""

    what: str
    seconds: float
    ran_s: float  # of them, until Streamlit was done; the rest is drawing. 0 where it was not asked
    kind: Kind


@dataclass
class Person:
    """Somebody in front of a page of the app, who keeps files in a folder."""

    page: Page
    url: str  # of the app, with a slash at its end
    folder: Path
    clicks: int = 0
    fields: int = 0  # typed into, or a file put into
    reactions: list[Reaction] = field(default_factory=list)

    def open(self, link: str, *answers: Locator, kind: Kind = Kind.link) -> None:
        """Open a page of the app by its address, once its answers are there."""
        self.page.add_init_script(REMEMBER)
        self.page.goto(self.url + link)
        self._await("opening the page", answers, kind)

    def click(self, target: Locator, *answers: Locator, kind: Kind = Kind.answer) -> None:
        """Click something and wait for the answers."""
        name = target.get_attribute("aria-label") or target.inner_text().strip().split("\n")[-1]  # an icon is before it
        target.click()
        self.clicks += 1
        self._await(f"“{name}”", answers, kind)

    def click_at(self, box: Locator, x: float, y: float, *answers: Locator) -> None:
        """Click a place within something, in px from its corner."""
        box.click(position={"x": x, "y": y})
        self.clicks += 1
        self._await("a click on the map", answers, Kind.answer)

    def drag(self, thumb: Locator, by_px: float, *answers: Locator) -> None:
        """Drag the thumb of a slider to the right or left, which counts as a click."""
        box = thumb.locator("xpath=../..").bounding_box()  # what is seen of it; the field itself is hidden
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + by_px, y, steps=6)
        self.page.mouse.up()
        self.clicks += 1
        self._await("a slider", answers, Kind.answer)

    def type(self, target: Locator, text: str, *answers: Locator, key: str = "") -> None:
        """Type into a field, with a key at the end, and wait for the answers."""
        target.press_sequentially(text)
        if key:
            self.page.keyboard.press(key)
        self.fields += 1
        if answers:
            self._await(f"“{text}”", answers, Kind.answer)

    def upload(self, target: Locator, path: Path, *answers: Locator) -> None:
        """Put a file into a field and wait for the answers."""
        target.set_input_files(path)
        self.fields += 1
        self._await(path.name, answers, Kind.answer)

    def download(self, button: Locator) -> Path:
        """Click a button that gives a file, and return where the file was kept."""
        with self.page.expect_download() as waiting:
            button.click()
            self.clicks += 1
        path = self.folder / waiting.value.suggested_filename
        waiting.value.save_as(path)
        self._await(path.name, (), Kind.answer)
        return path

    def slowest(self, kind: Kind) -> Reaction | None:
        """Return the slowest reaction of a kind; None where there was none."""
        return max((one for one in self.reactions if one.kind is kind), key=lambda one: one.seconds, default=None)

    def _await(self, what: str, answers: tuple[Locator, ...], kind: Kind) -> None:
        for answer in answers:
            answer.wait_for()
        self.page.wait_for_selector(IDLE)
        seconds, ran_s = (ms / 1000 for ms in self.page.evaluate(SINCE))
        self.reactions.append(Reaction(what, seconds, ran_s, kind))
