"""Turn how many trips go from which zone to which, and when, into the trips of a whole day."""

from htp.planning.demand.day import Day, Timetable, plan_day
from htp.planning.demand.table import Flows, read_flows
from htp.planning.demand.zones import Zones, city_zones, read_zones

__all__ = ["Day", "Flows", "Timetable", "Zones", "city_zones", "plan_day", "read_flows", "read_zones"]
