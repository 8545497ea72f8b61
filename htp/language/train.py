"""Train the language model on questions and answers (paper §4.2 and 5.1); the loss is the answer's alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from htp.compute import distributed
from htp.compute.length_batches import length_batches
from htp.compute.optimizer import MuonAndAdamW
from htp.compute.training_loop import Lap, Task, TrainingLoop, TrainingPlan, forget, half_is_faster, kept_apart
from htp.errors import InputError
from htp.language.anchors import begin_anchors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from htp.config import LanguageTraining
    from htp.language.batch import Answer
    from htp.language.language import Language
    from htp.language.model import TokenBatch
    from htp.language.prompt import Question

CHECK_BATCH = 64
LOG_STEPS, LOG_SECONDS = 25, 30.0  # at least this often: steps of a large base model are slow
OF_OLDER_VERSIONS = "training"  # folder in which they kept the state of a training


class QuestionsAndAnswers:
    """Trips as pairs of question and answer."""

    def __init__(self, questions: Sequence[Question], answers: Sequence[Answer]) -> None:
        self.questions, self.answers = questions, answers
        pairs = zip(questions, answers, strict=True)
        self.lengths = np.array([len(q.ids) + a.codes.size + len(a.anchors) for q, a in pairs])  # tokens

    def __len__(self) -> int:
        return len(self.questions)

    def split(self, seed: int) -> tuple[QuestionsAndAnswers, QuestionsAndAnswers]:
        """Return those that are trained on, and a few at random that tell when it is enough."""
        train, apart = kept_apart(len(self), seed)
        return self._some(train), self._some(apart)

    def _some(self, rows: NDArray[np.int64]) -> QuestionsAndAnswers:
        return QuestionsAndAnswers([self.questions[row] for row in rows], [self.answers[row] for row in rows])

    def collate(self, language: Language, rows: NDArray[np.int64], device: torch.device) -> TokenBatch:
        """Return these rows as the language model is trained on them."""
        asked = language.collate([self.questions[row] for row in rows], [self.answers[row] for row in rows])
        return asked.to(device)


def fit(
    language: Language,
    pairs: QuestionsAndAnswers,
    settings: LanguageTraining,
    folder: Path,
    report: Callable[[dict], None],
    *,
    anew: bool = False,
) -> None:
    """Train, on a GPU where there is one, and save; goes on from `resume.pt` where one lies in the folder.

    A few of the pairs are not trained on: the weights that are saved are those that had the least loss on them.
    `anew`: the model has learned nothing yet, so its anchor head, where it has one, begins with distances.
    """
    if (folder / OF_OLDER_VERSIONS).exists():
        raise InputError(
            f"{folder / OF_OLDER_VERSIONS}: the training of an older version was stopped here; it cannot be gone on "
            "with, delete this folder to begin anew."
        )
    pairs, apart = pairs.split(settings.seed)
    if anew and language.model.names_anchors:
        begin_anchors(language, pairs, settings.seed)
    distributed.meet()
    language.model.to("cuda" if torch.cuda.is_available() else "cpu")
    if not torch.cuda.is_available() and half_is_faster("cpu"):
        language.model.backbone.set_attn_implementation("eager")  # in bfloat16 a third faster than the fused kernel
    plan = TrainingPlan(
        *(settings.batch_size, settings.seed, settings.epochs, settings.minutes),
        half=half_is_faster,
        log_steps=LOG_STEPS,
        log_s=LOG_SECONDS,
    )
    loop = TrainingLoop(_task(language, pairs, apart, settings), plan, report, folder)
    if laps := loop.run():
        loop.tell(_last_line(laps, settings.batch_size))
    distributed.part()
    if distributed.is_first():
        language.save(folder)
        forget(folder)


def _task(
    language: Language, pairs: QuestionsAndAnswers, apart: QuestionsAndAnswers, settings: LanguageTraining
) -> Task:
    return Task(
        language.model,
        _optimizer(language, settings),
        pairs.lengths,
        lambda rows, device: pairs.collate(language, rows, device),
        lambda model, asked: {"loss": model(asked)},
        _loss_line,
        (lambda: _loss(language, apart)) if len(apart) else None,
    )


def _loss(language: Language, pairs: QuestionsAndAnswers) -> float:
    """Return the mean loss of pairs."""
    model = language.model.eval()
    batches = length_batches(pairs.lengths, CHECK_BATCH)
    device = next(model.parameters()).device
    losses = [float(model(pairs.collate(language, rows, device))) for rows in batches]
    return float(np.average(losses, weights=[len(rows) for rows in batches]))


def _optimizer(language: Language, settings: LanguageTraining) -> MuonAndAdamW:
    """Return the optimizer of what is trained: all of a built-in model, of another one what was added to it."""
    backbone, matrices = language.model.backbone, []
    if language.base is not None:
        backbone.get_input_embeddings().weight.requires_grad_(False)  # the base model's own stays as it is
    else:  # LoRA's are too narrow for Muon
        lists = [part for part in backbone.children() if isinstance(part, nn.ModuleList)]
        matrices = [weight for part in lists for weight in part.parameters() if weight.ndim == 2]  # of the layers
    return MuonAndAdamW(language.model, matrices, settings.learning_rate, settings.weight_decay)


def _line(lap: Lap, told: dict[str, float]) -> dict[str, Any]:
    return {"step": lap.step, "minutes": lap.minutes} | {name: float(f"{of:.5g}") for name, of in told.items()}


def _loss_line(lap: Lap) -> dict[str, Any]:
    told = {"loss": lap.mean("loss"), "grad_norm": lap.mean("grad_norm")}
    return _line(lap, told | {"learning_rate": lap.learning_rate, "epoch": lap.epochs})


def _last_line(laps: list[Lap], batch_size: int) -> dict[str, Any]:
    """Return what the whole training came to; the loss is the mean since it was gone on with."""
    last = laps[-1]
    speed = last.step / last.seconds
    told = {"train_runtime": last.seconds, "train_samples_per_second": speed * batch_size * distributed.count()}
    loss = np.average([lap.mean("loss") for lap in laps], weights=[lap.steps for lap in laps])
    return _line(last, told | {"train_steps_per_second": speed, "train_loss": float(loss), "epoch": last.epochs})
