"""Check that work on a Ray cluster is the work done without it: nothing lost, nothing twice, even if a worker dies.

The tests marked `slow` share a real cluster of two worker processes.
"""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from types import SimpleNamespace

import pytest

from htp.errors import InputError
from htp.evaluate import evaluate
from htp.generate_files import generate_on
from htp.prepare.options import PrepareOptions
from htp.prepare.pipeline import prepare
from htp.scale import Cluster
from htp.trips import read_trips, write_trips


class Killing:
    """A cluster that loses the worker on one piece of work, the first time it is tried, with a part half-written."""

    def __init__(self, cluster, number, folder) -> None:
        self.cluster, self.workers, self.number, self.folder = cluster, cluster.workers, number, folder

    def each(self, start, work, tasks):
        return self.cluster.each(start, killed_once(work, self.number, self.folder), tasks)


def killed_once(work, number, folder):
    """Return `work` that kills its process on one task, unless that has been done."""
    half = folder / ".writing-half"

    def killing(maker, task):
        if task[0] == number and not half.exists():
            half.write_bytes(b"PAR1 half")
            os.kill(os.getpid(), signal.SIGKILL)
        return work(maker, task)

    return killing


def fake_ray(**answers):
    """Return what stands for the package where no cluster is to be started."""
    return SimpleNamespace(is_initialized=lambda: False, shutdown=lambda: None, **answers)


@pytest.mark.thorough
@pytest.mark.slow
def test_a_killed_worker_costs_no_trip_and_doubles_none(two_workers, request_of, whole_day, tmp_path):
    with Cluster(two_workers) as cluster:
        assert cluster.workers == 2
        count = generate_on(Killing(cluster, 2, tmp_path / "day"), request_of, str(tmp_path / "day"))
    assert count == 24
    alone, shared = ({path.name: path.read_bytes() for path in f.iterdir()} for f in (whole_day, tmp_path / "day"))
    assert sorted(shared) == sorted(alone)  # the half-written part is gone too
    assert [shared[name] == alone[name] for name in sorted(alone)] == [True] * 6
    like = read_trips(request_of.trips)
    assert read_trips(tmp_path / "day")["trip_id"].tolist() == like["trip_id"].tolist()


@pytest.mark.slow
def test_a_task_that_kills_every_worker_ends_in_one_sentence(two_workers):
    def kill(_, task):
        if task == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return task

    with Cluster(two_workers) as cluster, pytest.raises(InputError, match="3 workers died of piece 1, most often"):
        list(cluster.each(lambda: None, kill, range(3)))


@pytest.mark.slow
def test_what_the_work_refuses_is_told_as_it_is(two_workers):
    def refuse(_, task):
        raise InputError(f"trip {task}: the route is empty.")

    with Cluster(two_workers) as cluster, pytest.raises(InputError, match=r"^trip 0: the route is empty\.$"):
        list(cluster.each(lambda: None, refuse, range(1)))


@pytest.mark.slow
def test_a_cluster_prepares_the_same_trips(two_workers, grid, tiny_data, tmp_path, monkeypatch):
    monkeypatch.setattr("htp.prepare.readers.parquet.TRIPS_A_CHUNK", 10)
    trips = read_trips(tiny_data / "train.parquet").drop(columns=["roads", "percent", "offset"])
    write_trips(trips, tmp_path / "raw.parquet")
    options = partial(PrepareOptions, heldout_share=0.3, workers=1)
    for out, address in (("alone", None), ("shared", two_workers)):
        prepare([tmp_path / "raw.parquet"], grid, tmp_path / out, options(ray=address))
    for name in ("train.parquet", "heldout.parquet"):
        assert (tmp_path / "shared" / name).read_bytes() == (tmp_path / "alone" / name).read_bytes()


@pytest.mark.thorough
@pytest.mark.slow
def test_a_cluster_measures_the_same(two_workers, grid, tiny_data, monkeypatch):
    monkeypatch.setattr("htp.evaluate.measure.PIECE", 7)
    tables = (tiny_data / "train.parquet", tiny_data / "heldout.parquet", grid)
    assert evaluate(*tables, ray=two_workers).to_json() == evaluate(*tables, workers=1).to_json()


def test_a_missing_ray_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"--ray needs Ray, which is not installed; run pip install 'htp\[scale\]'\.$"):
        Cluster("auto").__enter__()


def test_a_cluster_that_does_not_answer_is_one_sentence(monkeypatch):
    def refuse(**_):
        raise ConnectionError("no")

    monkeypatch.setitem(sys.modules, "ray", fake_ray(init=refuse))
    with pytest.raises(
        InputError, match=r"--ray auto: no Ray cluster answers there; start one with `ray start --head`"
    ):
        Cluster("auto").__enter__()


@pytest.mark.parametrize(
    ("resources", "gpus", "wanted", "workers", "needs"),
    [
        ({"CPU": 8.0}, True, None, 8, {"num_cpus": 1, "num_gpus": 0}),
        ({"CPU": 8.0}, True, 3, 3, {"num_cpus": 1, "num_gpus": 0}),
        ({"CPU": 8.0, "GPU": 2.0}, True, None, 2, {"num_cpus": 1, "num_gpus": 1}),
        ({"CPU": 8.0, "GPU": 2.0}, False, 9, 8, {"num_cpus": 1, "num_gpus": 0}),
    ],
    ids=["no GPU there", "fewer wanted", "GPUs", "GPUs not wanted"],
)
def test_workers_are_a_gpu_each_where_there_are_any_or_a_processor_each(
    resources, gpus, wanted, workers, needs, monkeypatch
):
    monkeypatch.setitem(sys.modules, "ray", fake_ray(init=lambda **_: None, cluster_resources=lambda: resources))
    with Cluster("auto", workers=wanted, gpus=gpus) as cluster:
        assert (cluster.workers, cluster.needs) == (workers, needs)


def test_a_cluster_without_processors_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", fake_ray(init=lambda **_: None, cluster_resources=dict))
    with pytest.raises(InputError, match="the cluster has no processor to give"):
        Cluster("auto").__enter__()
