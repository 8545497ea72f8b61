"""Find what a scenario does, and generate its trips in the background; the trips before are made once for everybody."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from htp.errors import InputError
from htp.evaluate.density import cell_density
from htp.planning.scenario import BaseDemand, Outcome, sample_trips
from htp.planning.scenario.changes import Scenario
from htp_app.plan import attempt
from htp_app.sample import surveyor_of
from htp_app.stores import keep, store

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd

    from htp.evaluate.density import Density
    from htp_app.model import Model
    from htp_app.views.scenario.choices import Planning

    Progress = Callable[[int, int], None]

DEMANDS, BEFORE = "demands", "trips before, and their measures"
KEPT = 6  # demands, and sets of trips before


@dataclass(frozen=True)
class ScenarioTrips:
    """Generated trips before and after a scenario."""

    choices: Planning  # that they were made for
    before: gpd.GeoDataFrame
    after: gpd.GeoDataFrame
    cells: Density  # points before (its `real` side) and after

    def made_for(self, choices: Planning) -> bool:
        """Whether these are the trips that the choices ask for; how they are looked at is no matter."""
        return self.choices.scenario == choices.scenario and self._asked(self.choices) == self._asked(choices)

    @staticmethod
    def _asked(choices: Planning) -> tuple[Any, ...]:
        return choices.demand.count, choices.demand.seed, choices.demand.hours


def known_demand(served: Model, choices: Planning) -> BaseDemand | None:
    """Return the demand where its paths have been found."""
    demand: BaseDemand | None = store(DEMANDS, served).get(_demand_key(choices))
    return demand


def demand_work(served: Model, choices: Planning) -> Callable[[Progress], None]:
    """Return what is to be done in the background: find the fastest path of every trip, for `known_demand`."""
    demands, key = store(DEMANDS, served), _demand_key(choices)  # here, as a thread has no session
    chosen = sample_trips(served.heldout, choices.demand.count, choices.demand.hours)

    def work(progress: Progress) -> None:
        generator = served.generator
        progress(0, len(chosen))
        keep(demands, key, BaseDemand.of(chosen, generator.city, generator.travel_time, progress), KEPT)

    return work


def outcome_of(served: Model, demand: BaseDemand, scenario: Scenario) -> Outcome:
    """Return what a scenario does to a demand, computed once as long as both stay."""
    last: Outcome | None = st.session_state.get("scenario-outcome")
    if last is None or last.demand is not demand or last.scenario != scenario:
        last = Outcome.of(demand, scenario, served.travel_time)
        st.session_state["scenario-outcome"] = last
    return last


def outcome_or_problem(
    served: Model, demand: BaseDemand | None, scenario: Scenario
) -> tuple[Outcome | None, str | None]:
    """Return what a scenario does to a demand that is there, or a sentence on why a service does not say."""
    return attempt(lambda: None if demand is None else outcome_of(served, demand, scenario))


def to_generate(served: Model, choices: Planning, outcome: Outcome) -> int:
    """Return how many trips a scenario's pictures ask for: those before where nobody has made them, and those again."""
    return len(outcome.again) + (0 if _before_key(choices) in store(BEFORE, served) else len(outcome.demand))


def trips_work(served: Model, choices: Planning, outcome: Outcome) -> Callable[[Progress], ScenarioTrips]:
    """Return what is to be done in the background: generate the trips before, and those that change once more."""
    kept, key, surveyor = store(BEFORE, served), _before_key(choices), surveyor_of(served)

    def work(progress: Progress) -> ScenarioTrips:
        recording = served.generator.recording
        again = outcome.conditions(recording)
        with served.turn():
            first = 0 if key in kept else len(outcome.demand)
            total = first + len(again)
            progress(0, total)  # somebody may have pressed Stop while others were served
            if first:
                trips = _generate(
                    served, outcome.demand.conditions(recording), choices, lambda done: progress(done, total)
                )
                trips = trips.assign(trip_id=outcome.demand.trip_id)
                keep(kept, key, (trips, surveyor.measure_trips(trips)), KEPT)
            before, measured = kept[key]
            made = _generate(served, again, choices, lambda done: progress(first + done, total)) if again else None
        after = outcome.trips(before, made)
        measured_after = surveyor.measure_trips(after) if len(after) else None
        return ScenarioTrips(replace(choices), before, after, cell_density(measured, measured_after))

    return work


def _generate(
    served: Model, conditions: list[Any], choices: Planning, progress: Callable[[int], None]
) -> gpd.GeoDataFrame:
    trips: gpd.GeoDataFrame = served.generator.generate(
        conditions, seed=choices.demand.seed, progress=lambda done, _: progress(done)
    )
    return trips


def checked(served: Model, choices: Planning) -> tuple[Planning, list[str]]:
    """Return the choices, without their scenario where the city does not have its roads, and sentences on that."""
    try:
        choices.scenario.check(served.generator.city)
    except InputError as error:
        return choices.changed(Scenario()), [f"The link's roads were left out: {error}"]
    return choices, []


def _demand_key(choices: Planning) -> tuple[Any, ...]:
    return choices.demand.count, choices.demand.hours


def _before_key(choices: Planning) -> tuple[Any, ...]:
    return *_demand_key(choices), choices.demand.seed
