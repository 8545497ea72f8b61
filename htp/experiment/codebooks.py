"""Train small tokenizers with codebooks of other sizes and numbers of layers, and compare their losses (Figure 10).

Each has the same time, after node2vec, which they share. The loss is the relative reconstruction loss on held-out
trips, without the commitment to codes: that grows with the number of layers. Offsets are drawn apart from the codes, so
their model is not trained here.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from htp.errors import InputError
from htp.experiment.data import Data
from htp.experiment.layout import Layout, read_json, write_json
from htp.experiment.settings import stamp
from htp.files import fingerprint_of
from htp.methods.ablations.road_vectors import road_vectors
from htp.methods.ablations.whole import HTPConfig
from htp.methods.budget import ENDLESS
from htp.tokenizer.batch import Batches
from htp.tokenizer.features import describe
from htp.tokenizer.tokenizer import BATCH, Tokenizer
from htp.tokenizer.train import TokenizerTrainer

if TYPE_CHECKING:
    from collections.abc import Callable

    from htp.experiment.settings import ExperimentSettings
    from htp.tokenizer.features import Samples

WHOLE = (32, 64, 128, 256)  # the paper's
SIZES = ((32,) * 4, (64,) * 4, (128,) * 4, WHOLE, (256,) * 4)  # (a): four layers of other sizes
LAYERS = ((32,), (32, 64), (32, 64, 128), WHOLE, (32, 64, 128, 256, 512))  # (b); the fifth layer is ours
CHECKED = 2000  # held-out trips, at most


def codebooks(
    data: Path,
    city: Path,
    settings: ExperimentSettings,
    out: Path,
    *,
    force: bool = False,
    report: Callable[[dict[str, Any]], None] = print,
) -> list[Path]:
    """Write a file for each of SIZES and LAYERS into RESULTS/codebooks; return those that were made now.

    What is there already is left; `InputError` where it is of other trips or another budget and not `force`.
    """
    loaded, layout = Data.load(data, city, settings), Layout(out)
    waiting = []
    for sizes in dict.fromkeys((*SIZES, *LAYERS)):
        path, key = layout.codebooks(name_of(sizes)), _key(sizes, settings, loaded)
        there = read_json(path)
        if there is None or there.get("key") != key:
            if there is not None and not force:
                raise InputError(
                    f"{path}: is of other trips or another budget; give --force to replace it, or another --out."
                )
            waiting.append((sizes, path, key))
    described = _describe(loaded) if waiting else None
    for sizes, path, key in waiting:
        assert described is not None, "there is something to train"
        report({"codebooks": list(sizes), "state": "started"})
        found = _train(sizes, settings, loaded, layout, described, report)
        facts = {"key": key, "sizes": list(sizes), "budget_s": settings.budget_s}
        facts |= {"data": loaded.facts, "fingerprint": loaded.fingerprint}
        write_json(path, facts | found | stamp(settings.device))
        report({"codebooks": list(sizes), "state": "finished", "loss": found["loss"]})
    return [path for _, path, _ in waiting]


def name_of(sizes: tuple[int, ...]) -> str:
    """Return what the file of codebooks is called: 32-64-128-256."""
    return "-".join(map(str, sizes))


def _key(sizes: tuple[int, ...], settings: ExperimentSettings, data: Data) -> str:
    return fingerprint_of({"sizes": list(sizes), "budget_s": settings.budget_s, "data": data.fingerprint})


def _describe(data: Data) -> tuple[Samples, Samples]:
    """Return what is trained on and what is checked on."""
    inputs = HTPConfig.small().tokenizer.inputs
    train, heldout = (describe(trips, data.city, inputs=inputs) for trips in (data.train, data.heldout.iloc[:CHECKED]))
    return train, heldout


def _train(
    sizes: tuple[int, ...],
    settings: ExperimentSettings,
    data: Data,
    layout: Layout,
    described: tuple[Samples, Samples],
    report: Callable[[dict[str, Any]], None],
) -> dict[str, Any]:
    """Return the loss and the error of a tokenizer, and the time that it was trained for."""
    small = HTPConfig.small()
    config = replace(small.tokenizer, codebook_sizes=sizes)
    roads = road_vectors(data.city, config.road_dim, 0, layout.shared)
    tokenizer = Tokenizer.new(config, data.city, vectors=roads.vectors)
    training = replace(small.tokenizer_training, epochs=ENDLESS, minutes=settings.budget_s / 60)
    with TemporaryDirectory(prefix="htp-") as work:
        trainer = TokenizerTrainer(tokenizer, training, Path(work))
        trainer.fit_patterns(*described, lambda line: report({"codebooks": list(sizes)} | line))
    return _checked(tokenizer, described[1]) | {"seconds": round(trainer.seconds, 2), "epochs": trainer.epoch}


@torch.inference_mode()
def _checked(tokenizer: Tokenizer, heldout: Samples) -> dict[str, Any]:
    """Return the mean loss of held-out trips and the median distance along the route to their reconstructions."""
    model, batches, losses, counts, errors = tokenizer.model.eval(), Batches(heldout), [], [], []
    generator = torch.Generator().manual_seed(0)
    for rows in batches.epoch(BATCH, None):
        batch = batches.collate(rows)
        found = model(batch)
        losses.append(float(found.loss - found.parts["commitment"]))
        counts.append(int(batch.routes.point_mask.sum()))
        uniform = torch.rand(*batch.along_m.shape, 2, generator=generator)
        along_m, _ = model.decode(found.codes, batch.routes, uniform)
        errors.append((along_m - batch.along_m).abs()[batch.routes.point_mask])
    loss = float(np.average(losses, weights=counts))
    return {"loss": round(loss, 5), "error_m": round(float(torch.cat(errors).median()), 2), "checked": len(heldout)}
