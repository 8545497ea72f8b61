"""Offer a small request and a Ray cluster of two workers on this machine, started once for all tests that need it."""

from __future__ import annotations

import os
import shutil

import pytest

from htp.generate_files import Like, generate_on

PART_TRIPS = 5


class InProcess:
    """A cluster of one worker that is this process; keeps the numbers of its pieces, and may be stopped like Ctrl-C."""

    workers = 1

    def __init__(self, stop_after: int | None = None) -> None:
        self.stop_after, self.done = stop_after, []

    def each(self, start, work, tasks):
        state = start()
        for number, task in enumerate(tasks):
            if len(self.done) == self.stop_after:
                raise KeyboardInterrupt
            self.done.append(task[0])
            yield number, work(state, task)


@pytest.fixture
def in_process():
    """Return the class of clusters that are this process."""
    return InProcess


@pytest.fixture
def request_of(tiny_data, tiny_checkpoint):
    """Return a request for the 24 held-out trips of the toy city, in five parts."""
    return Like(tiny_checkpoint, tiny_data / "heldout.parquet", seed=7, device="cpu", part_trips=PART_TRIPS)


@pytest.fixture
def whole_day(request_of, made_once):
    """Return the folder of the parts that the request gives where nothing stops it; not to be changed."""
    return made_once("parts", lambda folder: generate_on(InProcess(), request_of, str(folder / "day"))) / "day"


@pytest.fixture
def day(whole_day, tmp_path):
    """Return such a folder of the test's own, `day`."""
    return shutil.copytree(whole_day, tmp_path / "day")


@pytest.fixture(scope="session")
def two_workers(tmp_path_factory):
    """Return the address of a cluster with two workers; this process is connected to it."""
    ray = pytest.importorskip("ray")
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
    os.environ["RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S"] = "60"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))  # of the workers, not the user's
        _begin(ray)
    yield "local"
    ray.shutdown()


def _begin(ray):
    for tries_left in (2, 1, 0):
        try:
            ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=1 << 27)
            break
        except Exception:  # it waits 30 s, too few for a machine that is busy, and says so in no class of its own
            ray.shutdown()
            if not tries_left:
                raise


@pytest.fixture(scope="session")
def s3_server():
    """Start an S3 server with the bucket `day`, and point the driver to it."""
    pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    before = dict(os.environ)
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    import s3fs  # noqa: PLC0415  heavy

    s3fs.S3FileSystem().mkdir("day")
    yield
    s3fs.S3FileSystem.clear_instance_cache()
    os.environ.clear()
    os.environ |= before
    server.stop()
