"""Do what `htp` does and meet a fault on the way: SIGKILL at a chosen moment, or a full disk."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sys
from dataclasses import dataclass
from importlib import import_module
from io import BufferedWriter
from pathlib import Path


@dataclass(frozen=True)
class Kill:
    """SIGKILL at a call of a function, at once or when half of the file that it writes is there."""

    function: str  # module:name
    call: int = 1
    half: bool = False

    def strike(self, function, args, kwargs):
        """Make the fault happen in place of the call."""
        if self.half:
            function(*args, **kwargs)
            (written,) = [one for one in args if isinstance(one, str | Path | BufferedWriter)]
            if isinstance(written, BufferedWriter):
                written.flush()
                written = written.name
            os.truncate(written, Path(written).stat().st_size // 2)
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Full:
    """From a call on no file may grow beyond so many bytes: a full disk, without the rights that a mount needs."""

    bytes: int
    function: str = "doing:begin"
    call: int = 1

    def strike(self, function, args, kwargs):
        """Make the fault happen, then go on with the call."""
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.bytes, resource.RLIM_INFINITY))
        return function(*args, **kwargs)


def plant(fault):
    """Make a fault happen at the call that it names."""
    module, _, path = fault.function.partition(":")
    *owners, name = path.split(".")
    owner = import_module(module)
    for one in owners:
        owner = getattr(owner, one)
    function, calls = getattr(owner, name), [0]

    def struck(*args, **kwargs):
        calls[0] += 1
        return fault.strike(function, args, kwargs) if calls[0] == fault.call else function(*args, **kwargs)

    setattr(owner, name, struck)


def begin():
    """Begin the work: a place for faults."""


def report(*_):
    """Hear of progress: a place for faults."""


def meet(fault, heard, work, *arguments):
    """Do the work; what it ends with, where it is a sentence, goes into the file `heard`, and the exit code is 2."""
    from htp.errors import InputError, no_room  # noqa: PLC0415  in the child alone

    if fault is not None:
        plant(fault)
    try:
        begin()
        work(*arguments)
    except Exception as error:
        sentence = str(error) if isinstance(error, InputError) else no_room(error)
        if sentence is None:
            raise
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        heard.write_text(sentence)
        sys.exit(2)


STAGES = ("tokenizer", "language", "routes")


def train(data, out, stages=STAGES):
    """Train stages, with every state kept that training keeps now and then."""
    import torch  # noqa: PLC0415

    from htp import train  # noqa: PLC0415
    from htp.compute import training_loop  # noqa: PLC0415
    from htp.config import LanguageConfig, LanguageTraining, TokenizerConfig, TokenizerTraining  # noqa: PLC0415
    from htp.language import anchors  # noqa: PLC0415
    from htp.language import train as language_train  # noqa: PLC0415
    from htp.tokenizer import offsets_train  # noqa: PLC0415

    torch.set_num_threads(1)
    training_loop.SAVE_EVERY_S = -1.0
    offsets_train.EPOCHS, offsets_train.MIN_STEPS, anchors.STEPS = 0, 3, 10
    language_train.LOG_STEPS = 1
    sizes = TokenizerConfig((4, 6, 8, 10), (16, 16, 16, 32), quantizer_dim=8, head_dim=16, road_dim=16, road_layers=1)
    built_in = LanguageConfig(hidden=32, layers=1, heads=2, kv_heads=1, intermediate=32, text_vocabulary=300)
    settings = LanguageTraining(epochs=1, batch_size=32)
    if "tokenizer" in stages:
        epochs = TokenizerTraining(epochs=3, batch_size=32)
        train.train_tokenizer(data, data / "city", out, sizes, epochs, report=report)
    if "language" in stages:
        train.train_language(data, out, settings, config=built_in, report=report)
    if "routes" in stages:
        train.train_routes(data, out, settings, report)


def prepare(file, city, out, pids=None, *, lose_worker=False):
    """Prepare a file in small chunks with one process beside this one, whose id goes into the file `pids`."""
    from htp.city.network import City  # noqa: PLC0415
    from htp.prepare import pipeline  # noqa: PLC0415
    from htp.prepare.options import PrepareOptions  # noqa: PLC0415
    from htp.prepare.readers import porto  # noqa: PLC0415

    porto.BLOCK_BYTES = 4096

    def progress(*_):
        if pids is not None:
            pids.write_text(" ".join(str(child.pid) for child in multiprocessing.active_children()))
        for child in multiprocessing.active_children() if lose_worker else ():
            os.kill(child.pid, signal.SIGKILL)  # as the system does where memory is short
        report()

    os.environ["XDG_CACHE_HOME"] = str(out.parent / "cache")  # not the user's
    options = PrepareOptions(workers=1, heldout_share=0.3)
    pipeline.prepare([file], City.load(city), out, options, progress=progress)


def prepare_losing_the_worker(file, city, out):
    """Prepare a file and end the worker process."""
    prepare(file, city, out, lose_worker=True)


def generate(checkpoint, like, out):
    """Generate a trip for each of the prepared ones into one file."""
    from htp.generate import Generator  # noqa: PLC0415
    from htp.generate_files import generate_like  # noqa: PLC0415
    from htp.trip_source import Sampling  # noqa: PLC0415

    generate_like(Generator.load(checkpoint, "cpu"), like, out, Sampling(), seed=7, progress=lambda *_: report())


def generate_parts(checkpoint, like, out):
    """Generate the same in parts of five trips."""
    from htp.generate_files import Like, generate_on  # noqa: PLC0415

    class Alone:
        """A cluster that is this process."""

        def each(self, start, work, tasks):
            state = start()
            for number, task in enumerate(tasks):
                yield number, work(state, task)

    request = Like(checkpoint, like, seed=7, device="cpu", part_trips=5)
    generate_on(Alone(), request, str(out), progress=lambda *_: report())
