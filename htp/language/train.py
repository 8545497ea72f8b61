"""Train the language model on questions and answers with the transformers Trainer (paper §4.2 and 5.1).

The loss is the answer's alone. Resumes from the Trainer's own checkpoints; how several processes share the batches and
average gradients is the Trainer's business, and what they have to agree on is the clock's.
"""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.utils import SAFE_WEIGHTS_NAME

from htp.compute import distributed
from htp.compute.precision import half_is_faster
from htp.compute.schedule import rate_at
from htp.errors import InputError
from htp.files import replacing
from htp.language.anchors import begin_anchors
from htp.language.optimizer import MuonAndAdamW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor
    from transformers import TrainerControl, TrainerState

    from htp.config import LanguageTraining
    from htp.language.batch import Answer
    from htp.language.language import Language
    from htp.language.prompt import Question

LOG_STEPS, SAVE_STEPS = 25, 500
LOG_SECONDS, SAVE_SECONDS = 30.0, 120.0  # at least this often: steps of a large base model are slow


class QuestionsAndAnswers(torch.utils.data.Dataset):
    """Trips as pairs of question and answer."""

    def __init__(self, questions: Sequence[Question], answers: Sequence[Answer]) -> None:
        self.questions, self.answers = questions, answers

    def __len__(self) -> int:
        return len(self.questions)

    def __getitem__(self, row: int) -> tuple[Question, Answer]:
        return self.questions[row], self.answers[row]


class AnswerTrainer(Trainer):
    """The Trainer with the loss of our model and batches of trips of similar length."""

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,  # noqa: FBT001, FBT002  the Trainer's signature
        num_items_in_batch: Tensor | int | None = None,  # noqa: ARG002
    ) -> Any:
        """Return the loss of a batch."""
        device = self.args.device
        # the Trainer's own wraps `forward` alone
        with torch.autocast(device.type, torch.bfloat16, enabled=half_is_faster(device)):
            loss = model(inputs["asked"])
        return (loss, {}) if return_outputs else loss

    def _get_train_sampler(self, train_dataset: Any = None) -> SimilarLengths:  # noqa: ARG002
        data = cast("QuestionsAndAnswers", self.train_dataset)
        return SimilarLengths(data, self.args.train_batch_size, self.args.seed)

    def _save(self, output_dir: str | None = None, state_dict: dict | None = None) -> None:
        """Write what is trained; a base model stays where it came from."""
        trained = {name: p.detach() for name, p in self._trained().items()} if state_dict is None else state_dict
        super()._save(output_dir, trained)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: nn.Module | None = None) -> None:
        state = load_file(Path(resume_from_checkpoint) / SAFE_WEIGHTS_NAME)
        if {name: t.shape for name, t in state.items()} != {name: p.shape for name, p in self._trained().items()}:
            raise InputError(
                f"{resume_from_checkpoint}: the training of a model of another kind was stopped here; go on with its "
                "options, or delete this folder to begin anew."
            )
        cast("nn.Module", model or self.model).load_state_dict(state, strict=False)

    def _trained(self) -> dict[str, nn.Parameter]:
        return {name: p for name, p in cast("nn.Module", self.model).named_parameters() if p.requires_grad}

    def _prepare_inputs(self, inputs: dict[str, Any]) -> dict[str, Any]:
        return {"asked": inputs["asked"].to(self.args.device)}


class SimilarLengths(torch.utils.data.Sampler):
    """Give the rows in an order in which neighbours, and so batches, have similar lengths; a new order every epoch."""

    def __init__(self, data: QuestionsAndAnswers, batch_size: int, seed: int) -> None:
        pairs = zip(data.questions, data.answers, strict=True)
        self.lengths = np.array([len(q.ids) + a.codes.size + len(a.anchors) for q, a in pairs])
        self.batch_size, self.seed, self.epoch = batch_size, seed, 0

    def __len__(self) -> int:
        return len(self.lengths)

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of an epoch."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        generator = np.random.default_rng([self.seed, self.epoch])
        order = np.argsort(self.lengths * generator.uniform(0.9, 1.1, len(self.lengths)))
        batches = [order[i : i + self.batch_size] for i in range(0, len(order), self.batch_size)]
        generator.shuffle(batches)
        return iter(np.concatenate(batches).tolist())


class Clock(TrainerCallback):
    """Count the minutes of training across resumptions, stop when they are over, and report losses."""

    def __init__(self, settings: LanguageTraining, folder: Path, report: Callable[[dict], None]) -> None:
        self.settings, self.folder, self.report = settings, folder, report
        self.path = folder / "training" / "seconds.json"
        self.before = json.loads(self.path.read_text(encoding="utf-8")) if self.path.exists() else 0.0
        self.started, self.progress = time.monotonic(), 0.0
        self.seconds = self.logged = self.saved = self.before  # trained; at the last line; at the last checkpoint

    def on_train_begin(
        self,
        args: TrainingArguments,  # noqa: ARG002  the Trainer's signature
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002
        **_: object,
    ) -> None:
        """Go on at the learning rate of where a training was stopped."""
        self._measure(state)

    def on_step_end(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,
        control: TrainerControl,
        **_: object,
    ) -> TrainerControl:
        """Work out how much of the training is done, and whether it is time to log and to save."""
        self._measure(state)
        control.should_training_stop = control.should_training_stop or self.progress >= 1.0
        control.should_log = control.should_log or self.seconds > self.logged + LOG_SECONDS
        control.should_save = control.should_save or self.seconds > self.saved + SAVE_SECONDS
        return control

    def on_log(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002
        logs: dict | None = None,
        **_: object,
    ) -> None:
        """Write a line a log."""
        self.logged = self.seconds
        if not state.is_world_process_zero:
            return
        line = {"step": state.global_step, "minutes": round(self.seconds / 60, 1)}
        line |= {name: float(f"{number:.5g}") for name, number in (logs or {}).items()}
        with (self.folder / "training.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        self.report(line)

    def on_save(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002
        **_: object,
    ) -> None:
        """Remember the time beside the Trainer's checkpoint."""
        self.saved = self.seconds
        if state.is_world_process_zero:
            with replacing(self.path) as path:
                path.write_text(json.dumps(self.saved), encoding="utf-8")

    def rate(self, step: int) -> float:  # noqa: ARG002  the schedule follows the clock, not the steps
        """Return the learning rate's factor: warm-up, then a cosine to a hundredth."""
        return rate_at(self.progress)

    def _measure(self, state: TrainerState) -> None:
        """Work out how much of the training is done, by steps or by minutes, whichever is further."""
        self.seconds = distributed.agreed(self.before + time.monotonic() - self.started)
        by_steps = state.global_step / max(state.max_steps, 1)
        by_minutes = self.seconds / 60 / self.settings.minutes if self.settings.minutes else 0.0
        self.progress = max(by_steps, by_minutes)


def fit(
    language: Language,
    pairs: QuestionsAndAnswers,
    settings: LanguageTraining,
    folder: Path,
    report: Callable[[dict], None],
    *,
    anew: bool = False,
) -> None:
    """Train and save; goes on from `folder`/training where a training was stopped.

    `anew`: the model has learned nothing yet, so its anchor head, where it has one, begins with distances.
    """
    if anew and language.model.names_anchors:
        begin_anchors(language, pairs, settings.seed)
    folder.mkdir(parents=True, exist_ok=True)
    model, training = language.model, folder / "training"
    training.mkdir(exist_ok=True)
    if not torch.cuda.is_available() and half_is_faster("cpu"):
        model.backbone.set_attn_implementation("eager")  # on a CPU in bfloat16 a third faster than the fused kernel
    if language.base is not None:  # the base model's own embedding stays as it is
        model.backbone.get_input_embeddings().weight.requires_grad_(False)
    matrices = [] if language.base is not None else _matrices(model.backbone)  # LoRA's are too narrow for Muon
    optimizer = MuonAndAdamW(model, matrices, settings.learning_rate, settings.weight_decay)
    clock = Clock(settings, folder, report)
    trainer = AnswerTrainer(
        model=model,
        args=_arguments(training, settings),
        train_dataset=pairs,
        data_collator=lambda items: {"asked": language.collate([q for q, _ in items], [a for _, a in items])},
        optimizers=(optimizer, LambdaLR(optimizer, clock.rate)),
        callbacks=[clock],
    )
    trainer.remove_callback(PrinterCallback)  # `clock` reports
    trainer.train(resume_from_checkpoint=_last_whole(training))
    distributed.part()
    if distributed.is_first():
        language.save(folder)
        shutil.rmtree(training)


def _matrices(backbone: nn.Module) -> list[nn.Parameter]:
    """Return the matrices of a transformer's layers, which are what it keeps in a list."""
    return [
        p for part in backbone.children() if isinstance(part, nn.ModuleList) for p in part.parameters() if p.ndim == 2
    ]


def _arguments(training: Path, settings: LanguageTraining) -> TrainingArguments:
    """Return the Trainer's own settings."""
    return TrainingArguments(
        output_dir=str(training),
        per_device_train_batch_size=settings.batch_size,
        num_train_epochs=settings.epochs,
        bf16=half_is_faster("cuda" if torch.cuda.is_available() else "cpu"),
        use_cpu=not torch.cuda.is_available(),
        logging_steps=LOG_STEPS,
        save_steps=SAVE_STEPS,
        save_total_limit=1,
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        seed=settings.seed,
        max_grad_norm=1.0,
    )


def _last_whole(training: Path) -> str | None:
    """Return the Trainer's last checkpoint that was written to its end: its state comes last."""
    whole = [path.parent for path in training.glob("checkpoint-*/trainer_state.json")]
    return str(max(whole, key=lambda path: int(path.name.split("-")[1]))) if whole else None
