"""Change a city's roads, send the same demand again and compare: what a closed road or another speed limit does.

Roads do not get slower from the traffic that moves onto them: each trip takes its own fastest path, as if alone.
"""

from htp.scenario.changes import Scenario
from htp.scenario.demand import Demand, sample_trips
from htp.scenario.outcome import Outcome
from htp.scenario.search import Network

__all__ = ["Demand", "Network", "Outcome", "Scenario", "sample_trips"]
