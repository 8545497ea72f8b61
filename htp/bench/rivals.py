"""Generate the same trips by the diffusion baselines in their published sizes, 100 DDIM steps each.

How long they take does not hang on what they have learned, so they are trained for one step alone.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from htp.bench.workload import timed
from htp.methods.baselines import BASELINES
from htp.methods.baselines.protocol import DiffusionSampling
from htp.methods.baselines.train import Budget

if TYPE_CHECKING:
    import geopandas as gpd

    from htp.bench.workload import Timing
    from htp.city.network import City

RIVALS = ("difftraj", "controltraj")
DDIM_STEPS = 100
STEP = Budget(epochs=1, batch_size=2)


def time_rivals(
    heldout: gpd.GeoDataFrame, city: City, trips: int, device: str, *, small: bool = False
) -> dict[str, Timing]:
    """Return how long each takes for the first `trips` held-out trips in one batch; `small`: in its size for tests."""
    like, found = heldout.iloc[:trips], {}
    for name in RIVALS:
        made_by = BASELINES[name]
        config = made_by.config_type.small() if small else made_by.config_type()  # type: ignore[attr-defined]
        method = made_by(config, device).fit(heldout.iloc[:2], city, STEP, report=lambda _: None)
        sampling = DiffusionSampling(steps=DDIM_STEPS, batch_size=len(like))
        found[made_by.__name__] = timed(partial(method.generate, like, sampling=sampling), len(like))
    return found
