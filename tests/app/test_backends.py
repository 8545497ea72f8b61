"""The app on services: which one is used, what is said when it fails, and what stays usable."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pandas as pd
import pytest
from driving import finished, labels, opened, query, sentences
from fake_client import FakeClient
from streamlit.testing.v1 import AppTest

import htp_app.backends
import htp_app.model
from htp.errors import InputError
from htp.trips import Conditions
from htp_app.backends import Backend, Remote, Soon, backends_of

FOLDER = Path(htp_app.model.__file__).parent
FIRST, SECOND = "http://gpu.example:8000", "https://other.example/porto"
AWAY = f"no service answers at {FIRST}; start `htp serve` or mend the address."


@pytest.fixture
def clients(checkpoint, grid, monkeypatch):
    """Start the app with two services, of which the second keeps its held-out trips; return a client by address."""
    clients = {url: FakeClient(grid, url, shared=url == FIRST) for url in (FIRST, SECOND)}
    monkeypatch.setattr(htp_app.model, "load_client", clients.__getitem__)
    options = ["--checkpoint", str(checkpoint), "--backend", FIRST, f"--backend={SECOND}"]
    monkeypatch.setattr("sys.argv", ["app/main.py", *options])
    return clients


@pytest.fixture
def link(place) -> dict[str, str]:
    """Return the parameters of a link to a route across the grid."""
    via = ";".join(f"{lon:.6f},{lat:.6f}" for lon, lat in (place(0.0, 0.0), place(400.0, 400.0)))
    return {"via": via, "n": "4", "depart": "2024-05-14T08:00"}


def page_of(name: str, **link: str) -> AppTest:
    return opened(FOLDER / "views" / name / "view.py", **link)


def press(page: AppTest, label: str) -> AppTest:
    next(button for button in page.button if button.label == label).click().run()
    return page


def said(page: AppTest) -> str:
    blocks = [block.proto.body for block in page.get("html")] + [text.value for text in (*page.markdown, *page.info)]
    return sentences(page) + " ".join(blocks)


def test_the_first_service_is_used_and_every_page_names_it(clients):
    assert "<small>at gpu.example:8000</small>" in said(page_of("generate"))
    assert "at gpu.example:8000" in said(page_of("distributions"))


@pytest.mark.parametrize(
    ("name", "shown", "offered"),
    [
        ("", "gpu.example:8000, version 0.1.0", ["other.example/porto", "the model in this process"]),
        ("other.example/porto", "other.example/porto, version", ["gpu.example:8000", "the model in this process"]),
        ("process", "In this process", ["gpu.example:8000", "other.example/porto"]),
    ],
    ids=["none", "another service", "this process"],
)
def test_a_link_chooses_the_backend_and_the_others_are_offered(clients, name, shown, offered):
    page = page_of("data", **({"backend": name} if name else {}))
    assert shown in said(page)
    assert ("The card of a service" in said(page)) == (name != "process")
    lists = next(block.proto.body for block in page.get("html") if "class='backends'" in block.proto.body)
    assert lists.count("<a href='?backend=") == 2
    assert all(text in lists for text in offered)
    assert query(page) == ({"backend": name} if name else {})
    assert not page.exception


def test_the_choice_stays_in_the_link_of_every_page_and_the_key_is_in_none(clients, link, monkeypatch):
    monkeypatch.setenv(htp_app.backends.KEY, "secret")
    page = page_of("generate", backend="other.example/porto", **link)
    assert query(page)["backend"] == "other.example/porto"
    assert query(page_of("codebook", backend="other.example/porto"))["backend"] == "other.example/porto"
    assert "secret" not in said(page) + said(page_of("data")) + str(query(page))


def test_a_backend_that_was_not_named_at_start_is_a_sentence_and_never_asked(clients, monkeypatch):
    monkeypatch.setattr(htp_app.model, "load_client", lambda url: pytest.fail(f"{url} was asked"))
    page = page_of("data", backend="169.254.169.254")
    assert "the link's backend is none that this app was started with" in page.error[0].value
    assert "Use the model in this process" in said(page)
    assert not page.exception


def test_a_checkpoint_of_the_workspace_is_used_in_this_process(clients):
    page = page_of("data", checkpoint="missing", backend="other.example/porto")
    assert "the checkpoint “missing” is not in" in page.error[0].value
    assert "Try again" not in labels(page)
    assert "Use the service gpu.example:8000" in said(page)


@pytest.mark.parametrize("name", ["generate", "times_of_day", "distributions", "density", "demand"])
def test_a_service_that_goes_away_leaves_the_page_usable_with_its_sentence(clients, link, name):
    more = link if name in {"generate", "times_of_day"} else {}
    page = page_of(name, **more)
    clients[FIRST].refusal = AWAY
    button = next(button for button in page.button if button.icon == ":material/play_arrow:")
    page = finished(button.click().run(), "generate-job", "departures-job", "comparison-job", "demand-job")
    assert AWAY in [error.value for error in page.error]
    assert not page.exception
    clients[FIRST].refusal = None
    button = next(button for button in page.button if button.icon == ":material/play_arrow:")
    assert not button.disabled
    if name != "demand":  # whose day of thousands of trips is not for this test
        page = finished(button.click().run(), "generate-job", "departures-job", "comparison-job")
        assert not page.error
        assert query(page)["show"] == "1"


def test_trips_that_are_there_stay_when_the_next_ones_are_refused(clients, link):
    page = finished(page_of("generate", show="1", **link), "generate-job")
    trips = page.session_state["generate-result"].trips
    clients[FIRST].refusal = f"{FIRST}: 5,000 trips are waiting and the queue takes 5,000; try again in 3 s."
    page = finished(press(page, "Generate again"), "generate-job")
    assert "try again in 3 s" in page.error[0].value
    assert page.session_state["generate-result"].trips is trips
    assert "Generate again" in labels(page)


def test_stop_is_heard_at_once_while_the_service_is_silent(clients, link):
    client = clients[FIRST]
    page = page_of("generate", **link)
    client.open.clear()
    press(page, "Generate")
    assert "Stop" in labels(page)
    pressed = time.monotonic()
    page = finished(press(page, "Stop"), "generate-job")
    assert time.monotonic() - pressed < 10  # the silent service would have been waited for twenty seconds
    assert "Generate" in labels(page)
    client.open.set()
    assert client.ended.wait(10)


def test_travel_times_that_do_not_come_soon_are_a_sentence_and_are_not_waited_for_again(clients, link, monkeypatch):
    monkeypatch.setattr(htp_app.backends, "SOON_S", 0.05)
    client = clients[FIRST]
    client.open.clear()
    page = page_of("generate", **link)
    assert "No travel time to expect: http://gpu.example:8000 has not answered for 0.05 s" in sentences(page)
    assert not next(button for button in page.button if button.label == "Generate").disabled
    page.run()
    assert client.asked == 1
    client.open.set()
    monkeypatch.setattr(htp_app.backends, "PAUSE_S", 0.0)
    htp_app.model.load_service.clear()
    assert "Expected" in sentences(page.run())


def test_travel_times_of_a_route_are_asked_for_once(clients, grid, place):
    client = clients[FIRST]
    soon = Soon(client)
    asked = grid, [grid.route([place(0, 0), place(400, 400)])], [grid.local_time("2024-05-14 08:00")]
    first = soon.quantiles(*asked)
    client.refusal = AWAY
    assert soon.quantiles(*asked) is first
    for _ in range(2):  # a refusal comes at once, so the next may be asked for again
        with pytest.raises(InputError, match="no service answers"):
            soon.quantiles(grid, asked[1], [pd.Timestamp("2024-05-14 09:00", tz=grid.timezone)])
    assert client.asked == 3


def test_work_at_a_service_ends_with_its_trips_or_with_what_was_wrong(grid, place):
    client = FakeClient(grid, FIRST, shared=False)
    remote, heard = Remote(client), []
    assert client.limit == 128
    route = grid.route([place(0, 0), place(400, 400)])
    conditions = Conditions(route, grid.local_time("2024-05-14 08:00"))
    trips = remote.generate([conditions, conditions], progress=lambda *at: heard.append(at))
    assert len(trips) == 2
    assert all(total == 2 for _, total in heard)
    client.refusal = AWAY
    with pytest.raises(InputError, match="no service answers"):
        remote.generate(conditions, progress=lambda *_: None)
    client.generate = lambda *_, **__: 1 / 0
    with pytest.raises(ZeroDivisionError):
        remote.generate(conditions, progress=lambda *_: None)


def test_a_scenario_whose_travel_times_are_refused_says_so_and_tries_again(clients):
    finished(page_of("scenario"), "scenario-paths-job")  # the demand's paths, for everybody
    clients[FIRST].refusal = AWAY
    page = page_of("scenario", closed="56,57")  # a block of the fast avenue
    assert page.error[0].value == AWAY
    assert not page.exception
    clients[FIRST].refusal = None
    press(page, "Try again")
    assert not page.error
    assert any(label.startswith("Generate ") for label in labels(page))


def test_one_slow_service_does_not_hold_up_the_others(clients, link):
    slow, quick = clients[FIRST], clients[SECOND]
    waiting = page_of("generate", **link)
    slow.open.clear()
    press(waiting, "Generate")
    page = finished(page_of("generate", backend="other.example/porto", show="1", **link), "generate-job")
    assert len(page.session_state["generate-result"].trips) == 4
    assert quick.ended.is_set()
    slow.open.set()
    finished(waiting, "generate-job")


@pytest.mark.parametrize("name", ["distributions", "density", "scenario", "codebook"])
def test_a_page_that_needs_more_than_the_service_gives_says_what(clients, name):
    page = page_of(name, backend="other.example/porto")
    assert ("networks themselves" if name == "codebook" else "--share-heldout") in page.info[0].value
    assert "other.example/porto" in page.info[0].value
    assert "<a href='?backend=process'>Use the model in this process</a>" in said(page)
    assert not page.exception


@pytest.mark.parametrize("name", ["generate", "times_of_day", "demand", "evaluate"])
def test_the_other_pages_work_without_held_out_trips(clients, link, name):
    more = link if name in {"generate", "times_of_day"} else {}
    page = page_of(name, backend="other.example/porto", **more)
    assert not page.exception
    assert not page.error


def test_the_example_route_needs_no_held_out_trips(clients):
    page = press(page_of("times_of_day", backend="other.example/porto"), "Try an example route")
    assert len(page.session_state["departures"].via) == 2
    assert not page.exception


def test_trips_without_held_out_ones_to_compare_with_are_shown_alone(clients, link):
    page = finished(page_of("generate", backend="other.example/porto", show="1", **link), "generate-job")
    assert len(page.session_state["generate-result"].real_points) == 0
    assert any("nothing to compare with" in text.help for text in page.markdown if text.help)
    assert not page.exception


def test_without_a_service_that_answers_the_app_says_what_to_do_and_tries_again(clients, monkeypatch):
    def refuse(_: str) -> None:
        raise InputError(AWAY)

    load = htp_app.model.load_client
    monkeypatch.setattr(htp_app.model, "load_client", refuse)
    page = AppTest.from_file(str(FOLDER / "main.py"), default_timeout=60).run()
    assert page.error[0].value == AWAY
    assert "htp serve --share-heldout" in page.code[0].value
    assert "Use the model in this process" in said(page)
    press(page, "Try again")
    assert page.error[0].value == AWAY
    monkeypatch.setattr(htp_app.model, "load_client", load)
    press(page, "Try again")
    assert not page.error
    assert "at gpu.example:8000" in said(page)


def test_a_service_is_read_once_for_everybody(clients, monkeypatch):
    asked, load, lock = [], htp_app.model.load_client, threading.Lock()

    def count(url: str):
        with lock:
            asked.append(url)
        return load(url)

    monkeypatch.setattr(htp_app.model, "load_client", count)
    for _ in range(2):
        page_of("generate")
    assert asked == [FIRST]


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8000",
        "ftp://here",
        "http://",
        "http://ana:secret@here:8000",
        "ftp://ana:secret@here",
        "http://here/?key=secret",
    ],
    ids=["no scheme", "another scheme", "no host", "a password", "another scheme with one", "a question"],
)
def test_what_is_no_address_of_a_service_is_a_sentence_without_its_secrets(url):
    with pytest.raises(InputError) as caught:
        backends_of([url])
    assert "secret" not in str(caught.value)


def test_an_address_is_taken_once_whatever_ends_it():
    assert backends_of(["http://here:8000/", "http://here:8000"]) == (Backend("http://here:8000"),)


def test_the_key_comes_from_the_environment_alone(monkeypatch):
    monkeypatch.delenv(htp_app.backends.KEY, raising=False)
    assert htp_app.backends.key_of_environment() is None
    monkeypatch.setenv(htp_app.backends.KEY, " secret\n")
    assert htp_app.backends.key_of_environment() == "secret"
