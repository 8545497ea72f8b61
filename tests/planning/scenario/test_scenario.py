"""Scenarios over cities whose paths can be checked by hand.

`river`: two banks joined by a bridge and, 300 m up the river, by a ford that is slower; all streets two-way, at 10 m/s.

        2 ----- 3        1000 m from west to east
        |  ford |         300 m from south to north
        |       |
  4 --- 0 ===== 1 --- 5   the bridge, 1000 m at 20 m/s; lanes of 200 m at either end
          bridge

Road 0 is the bridge eastward, 1 westward; 2 and 3 go up and down the west bank; 4 and 5 cross by the ford; 6 and 7 go
down and up the east bank; 8 and 9 are the lane to the west (in, out), 10 and 11 that to the east (out, in).
"""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from htp.city import City
from htp.city.routing import TURN_S
from htp.compute.random_streams import TOKENS, stream_of
from htp.errors import InputError
from htp.planning.scenario import BaseDemand, Outcome, Scenario, ScenarioNetwork, sample_trips
from htp.planning.scenario.outcome import CLOSED_END, CUT_OFF, REROUTED, RETIMED, SAME
from htp.planning.scenario.traffic import both_directions, road_trips, roads_table, street_blocks, streets, whole_street
from htp.recording import Recording
from htp.travel_time.model import QUANTILES

BRIDGE_EAST, BRIDGE_WEST, WEST_UP, FORD_EAST, EAST_DOWN, LANE_IN, LANE_OUT = 0, 1, 2, 4, 6, 8, 10
EAST = [LANE_IN, BRIDGE_EAST, LANE_OUT]  # the drive from the western lane to the eastern
BRIDGE_S, FORD_S, BANK_S, LANE_S = 50.0, 100.0, 30.0, 20.0

RECORDING = Recording(15.0, 20, 200)


def city_of(name, place, nodes, streets):
    """Return a city of straight roads (u, v, name, km/h) between nodes given in metres, each way a road."""
    both = [(*ends, *rest) for a, b, *rest in streets for ends in ((a, b), (b, a))]
    u, v, names, speeds = zip(*both, strict=True)
    columns = {
        "road_id": np.arange(len(both), dtype=np.int32),
        "u": np.array(u, dtype=np.int64),
        "v": np.array(v, dtype=np.int64),
        "osm_id": np.arange(len(both), dtype=np.int64) + 1000,
        "name": list(names),
        "highway": "residential",
        "length_m": [float(np.hypot(*np.subtract(nodes[b], nodes[a]))) for a, b in zip(u, v, strict=True)],
        "lanes": np.ones(len(both), dtype=np.int8),
        "speed_kmh": list(speeds),
    }
    lines = [shapely.LineString([place(*nodes[a]), place(*nodes[b])]) for a, b in zip(u, v, strict=True)]
    roads = gpd.GeoDataFrame(columns, geometry=lines, crs="EPSG:4326")
    return City(name, "America/Santiago", "EPSG:32719", "made up", "CC0-1.0", roads)


@pytest.fixture(scope="module")
def river(place):
    nodes = {0: (0, 0), 1: (1000, 0), 2: (0, 300), 3: (1000, 300), 4: (-200, 0), 5: (1200, 0)}
    streets = [
        (0, 1, "Puente", 72.0),
        (0, 2, "Orilla", 36.0),
        (2, 3, "=Vado()", 36.0),
        (3, 1, "Ribera", 36.0),
        (4, 0, None, 36.0),
        (1, 5, "Huerto", 36.0),
    ]
    return city_of("River", place, nodes, streets)


class TwiceFreeFlow:
    """The travel-time model: twice the time at the speed limits."""

    def quantiles(self, city, routes, departs):
        assert len(routes) == len(departs)
        return np.array([[2 * city.free_flow_s[route.roads].sum() * (0.5 + q) for q in QUANTILES] for route in routes])


def trips_along(city, *routes, hour=8, points=21):
    """Return prepared trips from the start of their first road to the end of their last: 300 s each."""
    return gpd.GeoDataFrame(
        {
            "trip_id": [f"t{at}" for at in range(len(routes))],
            "start_time": [pd.Timestamp(f"2024-05-14 {hour:02}:00", tz=city.timezone)] * len(routes),
            "interval": np.float32(15),
            "roads": [np.array(roads, np.int32) for roads in routes],
            "percent": [np.linspace(0, 1, points, dtype=np.float32)] * len(routes),
        },
        geometry=[shapely.LineString(np.random.default_rng(0).random((points, 2)))] * len(routes),
        crs="EPSG:4326",
    )


def demand_of(city, *routes):
    return BaseDemand.of(trips_along(city, *routes), city, TwiceFreeFlow())


def outcome_of(demand, scenario):
    return Outcome.of(demand, scenario, TwiceFreeFlow())


def test_the_fastest_path_of_the_unchanged_network_is_that_over_the_bridge(river):
    detour = [LANE_IN, WEST_UP, FORD_EAST, EAST_DOWN, LANE_OUT]
    demand = demand_of(river, detour)
    assert demand.routes[0].roads.tolist() == EAST
    assert demand.cost_s[0] == pytest.approx(BRIDGE_S + LANE_S, rel=1e-3)
    assert demand.distance_m[0] == pytest.approx(1400, rel=1e-3)


def test_who_drove_faster_than_expected_does_so_on_the_fastest_path_as_well(river):
    demand = demand_of(river, [LANE_IN, WEST_UP, FORD_EAST, EAST_DOWN, LANE_OUT])
    recorded_s = 2 * (2 * LANE_S + 2 * BANK_S + FORD_S)
    assert demand.pace[0] == pytest.approx(300 / recorded_s, rel=1e-3)
    assert demand.seconds[0] == pytest.approx(300 / recorded_s * 2 * (2 * LANE_S + BRIDGE_S), rel=1e-3)


def test_a_closed_bridge_forces_the_detour_over_the_ford(river):
    outcome = outcome_of(demand_of(river, EAST), Scenario().close([BRIDGE_EAST, BRIDGE_WEST]))
    assert outcome.kind.tolist() == [REROUTED]
    assert outcome.routes[0].roads.tolist() == [LANE_IN, WEST_UP, FORD_EAST, EAST_DOWN, LANE_OUT]
    assert outcome.detour_m[0] == pytest.approx(600, rel=1e-3)
    before_s, after_s = 2 * LANE_S + BRIDGE_S, 2 * LANE_S + 2 * BANK_S + FORD_S
    assert outcome.delay_s[0] == pytest.approx(300 * (after_s / before_s - 1), rel=1e-3)


def test_closing_the_only_road_makes_the_trip_impossible(river):
    both = demand_of(river, EAST, [3, LANE_IN + 1])
    cut = outcome_of(both, Scenario().close([BRIDGE_EAST, FORD_EAST]))
    assert cut.kind.tolist() == [CUT_OFF, SAME]
    assert cut.routes[0] is None
    assert np.isnan([cut.distance_m[0], cut.seconds[0], cut.detour_m[0]]).all()
    assert (cut.lost.tolist(), cut.again.tolist(), cut.conditions(RECORDING)) == ([0], [], [])


def test_a_trip_whose_own_street_is_closed_cannot_be_made(river):
    demand = demand_of(river, EAST)
    for end in (LANE_IN, LANE_OUT):
        assert outcome_of(demand, Scenario().close([end])).kind.tolist() == [CLOSED_END]


def test_half_the_speed_on_the_bridge_takes_its_share_of_the_time_more(river):
    outcome = outcome_of(demand_of(river, EAST), Scenario().set_speed([BRIDGE_EAST], 36))
    assert outcome.kind.tolist() == [RETIMED]
    assert outcome.routes[0] is outcome.demand.routes[0]
    before_s = 2 * LANE_S + BRIDGE_S
    assert outcome.seconds[0] == pytest.approx(300 * (before_s + BRIDGE_S) / before_s, rel=1e-3)
    assert outcome.detour_m[0] == 0


def test_a_bridge_slower_than_the_ford_loses_its_trips(river):
    outcome = outcome_of(demand_of(river, EAST), Scenario().set_speed([BRIDGE_EAST], 12))  # 300 s
    assert outcome.kind.tolist() == [REROUTED]
    assert FORD_EAST in outcome.routes[0].roads


def test_a_faster_street_draws_a_trip_that_no_changed_road_lay_on(grid):
    """From Avenida 0 to Calle 4: by Avenida 2, which is fast, until the rest of Avenida 0 is faster still."""
    demand = demand_of(grid, [40, 42, 44, 46, 32, 34, 36, 38])
    assert demand.cost_s[0] == pytest.approx(20 + 15 + 20 + 3 * TURN_S, rel=1e-3)
    outcome = outcome_of(demand, Scenario().set_speed([42, 44, 46], 108))
    assert not {42, 44, 46} & set(demand.routes[0].roads)
    assert outcome.kind.tolist() == [REROUTED]
    assert outcome.routes[0].roads.tolist() == [40, 42, 44, 46, 32, 34, 36, 38]
    assert outcome.seconds[0] / demand.seconds[0] == pytest.approx((10 + 10 + 40) / (10 + 20 + 15 + 20), rel=1e-3)
    assert outcome_of(demand, Scenario().set_speed([48, 50], 108)).kind.tolist() == [SAME]


def test_turns_cost_as_much_after_as_before(river):
    network = ScenarioNetwork(river, Scenario().close([BRIDGE_EAST]))
    cost_s = network.cost_s([np.array([LANE_IN, WEST_UP, FORD_EAST, EAST_DOWN, LANE_OUT]), np.array(EAST)])
    assert cost_s[0] == pytest.approx(2 * BANK_S + FORD_S + LANE_S + 4 * TURN_S, rel=1e-3)
    assert cost_s[1] == np.inf


def test_a_driver_turns_back_at_a_closed_road(river):
    """From the ford's western end up to the closed ford and back: without turning there the lane is out of reach."""
    closed = Scenario().close([FORD_EAST, FORD_EAST + 1])
    found = ScenarioNetwork(river, closed).fastest(np.array([WEST_UP]), np.array([LANE_IN + 1]), np.array([np.inf]))
    assert found.roads[0].tolist() == [WEST_UP, WEST_UP + 1, LANE_IN + 1]


def test_unaffected_trips_stay_exactly_the_same_and_only_the_others_are_made_again(river):
    demand = demand_of(river, EAST, [3, LANE_IN + 1], EAST, [WEST_UP, FORD_EAST])
    outcome = outcome_of(demand, Scenario().close([BRIDGE_EAST]))
    assert outcome.kind.tolist() == [REROUTED, SAME, REROUTED, SAME]
    before = generated(demand.conditions(RECORDING), seed=3).assign(trip_id=demand.trip_id)
    again = generated(outcome.conditions(RECORDING), seed=3)
    after = outcome.trips(before, again)
    assert len(again) == 2
    assert after["trip_id"].tolist() == demand.trip_id.tolist()
    for row in (1, 3):
        pd.testing.assert_series_equal(before.iloc[row], after.iloc[row])
    assert [len(roads) for roads in after["roads"]] == [5, 2, 5, 2]


def test_the_same_scenario_over_the_same_demand_gives_the_same_trips(river):
    demand, scenario = demand_of(river, EAST, [3, LANE_IN + 1]), Scenario().close([BRIDGE_EAST])
    one, other = (generated(outcome_of(demand, scenario).conditions(RECORDING), seed=1) for _ in range(2))
    pd.testing.assert_frame_equal(one, other)


def generated(conditions, seed):
    """Return trips at places that a trip's own stream draws, as the generator does."""
    drawn = [stream_of((seed, place), TOKENS).random((4, 2)) for place in range(len(conditions))]
    return gpd.GeoDataFrame(
        {
            "trip_id": [str(place) for place in range(len(conditions))],
            "start_time": [one.depart for one in conditions],
            "interval": np.float32(15),
            "roads": [one.route.roads for one in conditions],
        },
        geometry=[shapely.LineString(points) for points in drawn],
        crs="EPSG:4326",
    )


def test_without_changes_nothing_happens(grid, random_trips):
    demand = BaseDemand.of(sample_trips(random_trips(grid, [20] * 30), None), grid, TwiceFreeFlow())
    outcome = outcome_of(demand, Scenario())
    assert outcome.number(SAME) == len(demand) > 20
    assert streets(outcome) == []


@pytest.mark.parametrize("scenario", [Scenario().close([44, 45, 58]), Scenario().set_speed(range(56, 64), 20)])
def test_many_paths_at_once_are_those_of_the_router(grid, random_trips, scenario):
    demand = BaseDemand.of(sample_trips(random_trips(grid, [20] * 60), None), grid, TwiceFreeFlow())
    outcome, network = outcome_of(demand, scenario), ScenarioNetwork(grid, scenario)
    for row in outcome.again:
        alone = network.fastest(*demand.ends[[row]].T, np.array([np.inf])).cost_s[0]
        assert network.cost_s([outcome.routes[row].roads])[0] == pytest.approx(alone)
        assert grid.is_connected(outcome.routes[row].roads)
        assert not set(outcome.routes[row].roads) & set(scenario.closed)


def test_trips_are_counted_by_road_and_street_before_and_after(river):
    outcome = outcome_of(demand_of(river, EAST, EAST, [3, LANE_IN + 1]), Scenario().close([BRIDGE_EAST]))
    traffic = road_trips(outcome)
    rows = np.column_stack([traffic.places, traffic.real, traffic.generated]).tolist()
    count = {road: (before, after) for road, before, after in rows}
    assert count[BRIDGE_EAST] == (2, 0)
    assert count[FORD_EAST] == (0, 2)
    assert count[LANE_OUT] == (2, 2)
    found = {street.name: (street.before, street.after, street.change) for street in streets(outcome)}
    assert found == {"Puente": (2, 0, -2), "=Vado()": (0, 2, 2), "Orilla": (1, 3, 2), "Ribera": (0, 2, 2)}


def test_the_table_of_roads_has_both_counts_and_no_formula(river):
    scenario = Scenario().close([BRIDGE_EAST]).set_speed([FORD_EAST], 30)
    table = roads_table(outcome_of(demand_of(river, EAST), scenario)).set_index("road_id")
    assert table.loc[BRIDGE_EAST, ["trips_before", "trips_after", "closed"]].tolist() == [1, 0, True]
    assert table.loc[FORD_EAST, ["name", "speed_kmh_before", "speed_kmh_after"]].tolist() == ["'=Vado()", 36, 30]
    cells = table.reset_index().to_csv(index=False).replace("\r", "").replace("\n", ",").split(",")
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_hours_and_count_choose_trips_and_more_of_them_hold_fewer(river):
    trips = pd.concat([trips_along(river, *[EAST] * 5, hour=hour) for hour in (7, 8, 9)], ignore_index=True)
    assert sample_trips(trips, 3, (8, 9)).index.isin(range(5, 10)).all()
    few, many = (set(sample_trips(trips, count).index) for count in (4, 9))
    assert few < many
    with pytest.raises(InputError, match=r"No trip starts from 1:00 to 2:00; choose other hours"):
        sample_trips(trips, 3, (1, 2))


def test_a_trip_that_goes_nowhere_is_left_out(river):
    trips = trips_along(river, [BRIDGE_EAST], EAST)
    assert sample_trips(trips, None)["trip_id"].tolist() == ["t1"]


def test_travel_times_that_cannot_be_generated_are_cut_but_reported_as_they_are(river):
    demand = demand_of(river, EAST)
    outcome = outcome_of(demand, Scenario().set_speed([LANE_IN], 5).set_speed([BRIDGE_EAST, FORD_EAST, LANE_OUT], 5))
    assert outcome.seconds[0] > 2985
    assert outcome.conditions(RECORDING)[0].duration_s == 2985


def test_a_street_has_blocks_named_by_what_crosses_it(grid):
    blocks = street_blocks(grid, "Avenida 2")
    assert [roads for _, roads in blocks] == [(56, 57), (58, 59), (60, 61), (62, 63)]
    assert [name for name, _ in blocks][:2] == ["1: Calle 0 – Calle 1", "2: Calle 1 – Calle 2"]
    assert both_directions(grid, [59]) == (58, 59)
    assert whole_street(grid, 59) == tuple(range(56, 64))


def test_a_nameless_road_is_a_street_of_its_own(triangle):
    assert whole_street(triangle, 2) == (2,)


def test_a_road_is_closed_or_has_a_speed_and_can_be_as_it_was(river):
    scenario = Scenario().close([1, 0]).set_speed([1], 30).close([5])
    assert (scenario.closed, scenario.speeds_kmh) == ((0, 5), ((1, 30.0),))
    assert scenario.changed == (0, 1, 5)
    assert scenario.reset([0, 1, 5]) == Scenario()
    assert np.isinf(scenario.seconds(river)).tolist() == [road in (0, 5) for road in range(12)]
    assert scenario.seconds(river)[1] == pytest.approx(1000 / (30 / 3.6), rel=1e-3)


@pytest.mark.parametrize("kmh", [0, 4.9, 131, float("nan"), float("inf"), -30])
def test_a_speed_out_of_range_is_refused(kmh):
    with pytest.raises(InputError, match="give 5 to 130 km/h"):
        Scenario().set_speed([0], kmh)


def test_a_scenario_is_saved_and_read(river):
    scenario = Scenario(name="Bridge closed").close([0, 1]).set_speed([4], 22.5)
    back = Scenario.from_json(scenario.to_json(river), river)
    assert (back, back.name) == (scenario, "Bridge closed")


def test_a_name_makes_no_other_scenario():
    assert Scenario(name="a").close([1]) == Scenario(name="b").close([1])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"type": "other"}, "no scenario"),
        ({"version": 9}, "version “9”"),
        ({"city": "Porto"}, "made for “Porto” with “12” roads; the city here is River with 12"),
        ({"roads": 7}, "with “7” roads"),
        ({"closed": "all"}, "no list of road numbers"),
        ({"closed": [True]}, "no list of road numbers"),
        ({"closed": [12]}, "road 12 is not in River, whose roads are 0 to 11"),
        ({"closed": [-1]}, "road -1 is not in River"),
        ({"speeds_kmh": [30]}, "road numbers their km/h"),
        ({"speeds_kmh": {"x": 30}}, "road numbers their km/h"),
        ({"speeds_kmh": {"3": "30"}}, "road numbers their km/h"),
        ({"speeds_kmh": {"3": 1e9}}, "Road 3 has a speed of 1e"),
        ({"speeds_kmh": {"0": 30}}, "closes road 0 and gives it a speed"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(river, change, said):
    facts = json.loads(Scenario().close([0]).to_json(river)) | change
    with pytest.raises(InputError, match=said):
        Scenario.from_json(json.dumps(facts), river)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[1]", b"[" * 100_000, b"PK\x03\x04"])
def test_what_is_no_scenario_at_all_is_refused(river, content):
    with pytest.raises(InputError, match="The file is no"):
        Scenario.from_json(content, river)


def test_a_road_of_another_city_is_refused_before_anything_is_searched(river):
    with pytest.raises(InputError, match="road 80 is not in River"):
        ScenarioNetwork(river, Scenario().close([80]))


def test_progress_is_heard_and_can_end_the_search(river):
    heard = []
    BaseDemand.of(trips_along(river, EAST, EAST), river, TwiceFreeFlow(), lambda *now: heard.append(now))
    assert heard[-1] == (2, 2)


def test_a_demand_that_no_path_serves_says_so(place):
    nodes = {0: (0, 0), 1: (500, 0), 2: (0, 900), 3: (500, 900)}
    islands = city_of("Islands", place, nodes, [(0, 1, "North", 36.0), (2, 3, "South", 36.0)])
    with pytest.raises(InputError, match="No trip of this demand can be made"):
        demand_of(islands, [0, 2])
