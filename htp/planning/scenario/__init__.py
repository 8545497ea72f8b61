"""Change a city's roads, send the same demand again and compare: what a closed road or another speed limit does.

Roads do not get slower from the traffic that moves onto them: each trip takes its own fastest path, as if alone.
"""

from htp.planning.scenario.changes import Scenario
from htp.planning.scenario.demand import BaseDemand, sample_trips
from htp.planning.scenario.outcome import Outcome
from htp.planning.scenario.search import ScenarioNetwork

__all__ = ["BaseDemand", "Outcome", "Scenario", "ScenarioNetwork", "sample_trips"]
