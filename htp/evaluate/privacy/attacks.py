"""Turn what was measured of training, held-out and generated trips into figures, each with its plain sentence.

Held-out trips are what trips look like that give nothing away: people drive alike, so they lie close to training trips
too. Whatever generated trips do more than they is counted as a leak.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import KDTree

from htp.evaluate.closest import closest_m, near_copy_limit_m, vectors
from htp.evaluate.privacy.chance import FALSE_ALARMS, Estimate, caught, ratio_of_medians, share, told_apart
from htp.evaluate.privacy.result import AuditFigure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htp.city.network import City
    from htp.evaluate.privacy.traces import Traces

RARE = 2  # a route that no more training trips than this drive could be told from the rest
ALONE_M, FEW = 50.0, 2  # ours: an end point with no more than so many others within this distance could be a home
AT_HOME_M = 20.0  # ours: a generated end point this close to such a one points at it
ENOUGH = 50  # trips that a comparison needs on each side
GUESSING = Estimate.exactly(0.5)


@dataclass(frozen=True)
class AuditedTrips:
    """The three sets of trips that an audit compares, and its random numbers."""

    train: Traces
    generated: Traces
    heldout: Traces
    random: np.random.Generator


def copies(trips: AuditedTrips, threads: int = 1) -> list[AuditFigure]:
    """Return how much closer generated trips lie to their closest training trip than held-out trips do."""
    tree = KDTree(trips.train.shape_m)
    made_m, real_m = (closest_m(tree, side.shape_m, threads) for side in (trips.generated, trips.heldout))
    limit_m = near_copy_limit_m(real_m)
    times = ratio_of_medians(made_m, real_m, trips.random)
    nearer = told_apart(made_m, real_m, trips.random)
    near, by_chance = share(made_m < limit_m), share(real_m < limit_m)
    return [
        AuditFigure(
            "distance to the closest training trip",
            times,
            Estimate.exactly(1.0),
            "times",
            f"The median generated trip lies {np.median(made_m):,.0f} m from its closest training trip, the median "
            f"held-out trip, which nobody has seen, {np.median(real_m):,.0f} m.",
            low_is_bad=True,
        ),
        AuditFigure(
            "closer than a held-out trip",
            nearer,
            GUESSING,
            "AUC",
            f"A generated trip is closer to its closest training trip than a held-out one is to its own in "
            f"{_percent(nearer)} of all pairs; half would be no difference.",
        ),
        AuditFigure(
            "near copies",
            near,
            by_chance,
            "share",
            f"{_percent(near)} of the generated trips are closer than {limit_m:.1f} m to a training trip; of the "
            f"held-out trips {_percent(by_chance)} are.",
        ),
    ]


def membership(
    name: str, loss: str, members: NDArray, others: NDArray, random: np.random.Generator
) -> list[AuditFigure]:
    """Return how well training trips are told from held-out ones by a number that is small for known trips.

    `name` is of what is attacked, `loss` of the number.
    """
    apart, sure = told_apart(members, others, random), caught(members, others, random)
    return [
        AuditFigure(
            f"membership by the {name}",
            apart,
            GUESSING,
            "AUC",
            f"Whoever guesses by {loss} which of two trips was a training trip is right in {_percent(apart)} of all "
            "pairs; guessing blindly is right in half.",
        ),
        AuditFigure(
            f"sure members by the {name}",
            sure,
            Estimate.exactly(FALSE_ALARMS),
            "share",
            f"Guessing so carefully by {loss} that {100 * FALSE_ALARMS:.0f} % of unseen trips are taken for training "
            f"trips finds {_percent(sure)} of the training trips.",
        ),
    ]


def neighbours(trips: AuditedTrips, city: City, threads: int = 1) -> list[AuditFigure] | str:
    """Return how well training trips are told from held-out ones by their closest generated trip.

    Trips that others were generated from (they share an id) have these close by, seen or not, and are left out; a
    sentence where too few are left.
    """
    left = [side.chosen[~side.chosen["trip_id"].isin(trips.generated.trip_id)] for side in (trips.train, trips.heldout)]
    if min(map(len, left)) < ENOUGH:
        return (
            "Membership by the closest generated trip is not known: the trips were generated from the conditions of "
            "those that would be compared. Generate from half of the held-out trips to know it."
        )
    tree = KDTree(trips.generated.shape_m)
    members, others = (closest_m(tree, vectors(side, city), threads) for side in left)
    return membership("closest generated trip", "how close a generated trip comes to it", members, others, trips.random)


def rare_routes(trips: AuditedTrips) -> AuditFigure | str:
    """Return how often generated trips drive a route that one or two training trips alone drove; or why not."""
    made, real = trips.generated.route, trips.heldout.route
    if made is None or real is None or trips.train.route is None:
        return "Rare routes are not compared: a table has no column `roads`."
    if _routes_given(trips):
        return (
            "Rare routes are not compared: the routes of the generated trips were given. Generate with `--plus nothing`"
            " to see whether HTP+ writes those of training trips."
        )
    times = Counter(trips.train.route)
    found, by_chance = (share(np.array([1 <= times[route] <= RARE for route in side])) for side in (made, real))
    rare = {route for route, count in times.items() if count <= RARE}
    again = len(rare & set(made))
    return AuditFigure(
        "rare routes driven again",
        found,
        by_chance,
        "share",
        f"{_percent(found)} of the generated trips drive, road by road, a route that one or two training trips alone "
        f"drove ({again:,} of {len(rare):,} such routes); of the held-out trips {_percent(by_chance)} do.",
    )


def homes(trips: AuditedTrips) -> list[AuditFigure] | str:
    """Return how often generated trips begin or end where few training trips do; a sentence where there is no such."""
    ends_m = trips.train.ends_m.reshape(-1, 2)
    others = KDTree(ends_m).query_ball_point(ends_m, ALONE_M, return_length=True) - 1
    lonely_m = ends_m[others <= FEW]
    if len(lonely_m) == 0:
        return f"No training trip begins or ends where fewer than {FEW + 1} others do within {ALONE_M:.0f} m."
    tree = KDTree(lonely_m)
    made_m, real_m = (
        np.reshape(tree.query(side.ends_m.reshape(-1, 2))[0], (-1, 2)).min(axis=1)
        for side in (trips.generated, trips.heldout)
    )
    there, by_chance = share(made_m < AT_HOME_M), share(real_m < AT_HOME_M)
    nearer = told_apart(made_m, real_m, trips.random)
    return [
        AuditFigure(
            "ends at lonely places",
            there,
            by_chance,
            "share",
            f"{_percent(there)} of the generated trips begin or end within {AT_HOME_M:.0f} m of one of the "
            f"{len(lonely_m):,} places like homes, where at most {FEW} other training trips do within {ALONE_M:.0f} m; "
            f"of the held-out trips {_percent(by_chance)} do.",
        ),
        AuditFigure(
            "closer to lonely places",
            nearer,
            GUESSING,
            "AUC",
            f"A generated trip begins or ends closer to such a place than a held-out one in {_percent(nearer)} of all "
            "pairs; half would be no difference.",
        ),
    ]


def _routes_given(trips: AuditedTrips) -> bool:
    """Whether most generated trips drive the route of the held-out or training trip of the same id."""
    made, given, asked = trips.generated, 0, 0
    for side in (trips.heldout, trips.train):
        assert side.route is not None
        assert made.route is not None
        routes = dict(zip(side.trip_id, side.route, strict=True))
        same = [routes[name] == route for name, route in zip(made.trip_id, made.route, strict=True) if name in routes]
        given, asked = given + sum(same), asked + len(same)
    return 2 * given > len(made) and asked > 0


def _percent(estimate: Estimate) -> str:
    return f"{100 * estimate.value:.2f} %"
