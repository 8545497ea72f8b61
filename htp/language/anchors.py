"""Give the anchor head a first idea of how far a pattern goes, before the transformer is trained (ours).

Where a road lies against where a car at its mean speed would be says most about an anchor. A small network sees that in
seconds, while the transformer, which learns all else from the same steps, takes thousands of them to trust it; until
then anchors are drawn far too widely, and all speeds with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from htp.compute import distributed
from htp.compute.training_loop import Task, TrainingLoop, TrainingPlan

if TYPE_CHECKING:
    from torch import Tensor

    from htp.language.language import Language
    from htp.language.model import TokenBatch
    from htp.language.train import QuestionsAndAnswers

STEPS, BATCH, LEARNING_RATE = 150, 64, 1e-2
LAST_STEPS = 10  # over which the loss is told


def begin_anchors(language: Language, pairs: QuestionsAndAnswers, seed: int) -> float:
    """Train what the anchor head makes of distances alone; return the loss of the last steps, in nats an anchor."""
    model = language.model

    def loss(_: object, asked: TokenBatch) -> dict[str, Tensor]:
        logits = model.anchor_distances(asked, asked.before, asked.number)
        return {"loss": F.cross_entropy(logits[asked.real], asked.anchors[asked.real])}

    task = Task(
        model.progress,
        torch.optim.Adam(model.progress.parameters(), LEARNING_RATE),
        pairs.lengths,
        lambda rows, device: pairs.collate(language, rows, device),
        loss,
        lambda _: {},
    )
    plan = TrainingPlan(BATCH, seed, steps=STEPS, rate=lambda progress: 1 - progress, log_steps=LAST_STEPS)
    with distributed.alone():  # all do the same, and end alike
        return TrainingLoop(task, plan, lambda _: None).run()[-1].mean("loss")
