"""The whole way at an interval of one's own: trained, generated like real trips and at other intervals, evaluated."""

from __future__ import annotations

import numpy as np
import pytest

from htp.conditions import conditions_of
from htp.config import LanguageConfig, LanguageTraining, TokenizerConfig, TokenizerTraining
from htp.errors import InputError
from htp.evaluate import evaluate
from htp.generate import Generator
from htp.generate_files import generate_like
from htp.recording import Recording
from htp.train import train_language, train_tokenizer
from htp.trip_source import Sampling
from htp.trips import Conditions, read_trips, write_trips

SIZES = TokenizerConfig((4, 6, 8, 10), (16, 16, 16, 32), quantizer_dim=8, head_dim=16, road_dim=16, road_layers=1)
BUILT_IN = LanguageConfig(hidden=32, layers=1, heads=2, kv_heads=1, intermediate=32, text_vocabulary=300)
OTHERS = [pytest.param(seconds, marks=pytest.mark.thorough) for seconds in (1, 10, 15, 30, 60)]


@pytest.mark.slow
@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("interval_s", [4, *OTHERS])
def test_trips_have_the_points_and_the_times_that_are_asked_for(grid, random_trips, tmp_path, interval_s):
    for name, points, seed in (("train", [8, 9, 20, 57] * 6, 2), ("heldout", [8, 13, 31, 57] * 3, 3)):
        trips = random_trips(grid, points, seed).assign(interval=np.float32(interval_s))
        write_trips(trips, tmp_path / f"{name}.parquet")
    grid.save(tmp_path / "city")
    out = tmp_path / "checkpoint"
    settings = TokenizerTraining(epochs=1, batch_size=16), LanguageTraining(epochs=1, batch_size=16)
    train_tokenizer(tmp_path, tmp_path / "city", out, SIZES, settings[0], report=lambda _: None)
    train_language(tmp_path, out, settings[1], config=BUILT_IN, report=lambda _: None)
    generator = Generator.load(out)
    assert generator.recording == Recording(float(interval_s), 8, 57)

    heldout = read_trips(tmp_path / "heldout.parquet")
    like = conditions_of(heldout, grid)
    generate_like(generator, tmp_path / "heldout.parquet", tmp_path / "made.parquet", Sampling(), seed=1)
    made = read_trips(tmp_path / "made.parquet")
    assert [len(line.coords) for line in made.geometry] == [8, 13, 31, 57] * 3
    assert (made["interval"] == interval_s).all()
    report = evaluate(tmp_path / "heldout.parquet", tmp_path / "made.parquet", grid, seed=0, workers=1)
    assert report.validity is not None
    assert report.validity.points == report.validity.time == 1.0

    other_s = 2.5 * interval_s if interval_s <= 48 else 20.0
    one = generator.generate([Conditions(like[2].route, like[2].depart, like[2].duration_s, interval_s=other_s)])
    assert one["interval"].tolist() == [other_s]
    assert len(one.geometry[0].coords) == round(30 * interval_s / other_s) + 1
    with pytest.raises(InputError, match=r"trips of [\d.]+ to [\d.]+ min can be generated, as long as those that were"):
        generator.generate([Conditions(like[2].route, like[2].depart, 57.0 * interval_s)])
