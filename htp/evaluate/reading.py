"""Read a report back from the JSON that `htp evaluate --json` prints."""

from __future__ import annotations

from typing import Any

from htp.errors import InputError
from htp.evaluate.bootstrap import Interval
from htp.evaluate.calibration import Calibration, Spread
from htp.evaluate.closest import Closest, Distances
from htp.evaluate.report import Bins, Line, Report, Size
from htp.evaluate.stops import StopFigure
from htp.evaluate.told_apart import Telling, ToldApart
from htp.evaluate.validity import Validity
from htp.json_files import parse_object


def read_report(text: str) -> Report:
    """Return the report that `Report.to_json` wrote; `InputError` where the text is none."""
    try:
        facts = parse_object(text, "report")
        lines, beyond = (_lines(facts.pop(part)) for part in ("metrics", "beyond"))
        sizes = {name: Size(**size) for name, size in facts.pop("sizes").items()}
        bins = {name: Bins(**one) for name, one in facts.pop("bins").items()}
        checked, closest, told = facts.pop("validity"), facts.pop("closest"), facts.pop("told", None)
        validity = None if checked is None else Validity(**checked)
        stops = tuple(StopFigure(**one) for one in facts.pop("stops", ()))
        later = {"told": _told(told), "stops": stops, "calibration": _calibration(facts.pop("calibration", None))}
        return Report(
            lines, beyond, sizes, bins, **facts | {"validity": validity, "closest": _closest(closest)} | later
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError("this is no report of `htp evaluate --json`; evaluate again.") from error


def _lines(metrics: dict[str, dict[str, Any]]) -> tuple[Line, ...]:
    return tuple(Line(name, **facts | {"bootstrap": Interval(**facts["bootstrap"])}) for name, facts in metrics.items())


def _told(facts: dict[str, Any] | None) -> ToldApart | None:
    if facts is None:
        return None
    return ToldApart(**facts | {"telling": tuple(Telling(**telling) for telling in facts["telling"])})


def _calibration(facts: dict[str, Any] | None) -> Calibration | None:
    if facts is None:
        return None
    spreads = (one | {part: tuple(one[part]) for part in ("coverage", "ranks")} for one in facts["spreads"])
    return Calibration(**facts | {"spreads": tuple(Spread(**one) for one in spreads)})


def _closest(facts: dict[str, Any] | None) -> Closest | None:
    if facts is None:
        return None
    sides = {side: Distances(**facts[side]) for side in ("heldout", "generated")}
    return Closest(**facts | sides)
