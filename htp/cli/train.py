"""Map the commands `htp train ...` to functions."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from htp.cli.options import CheckpointFolder, CityFolder, Seed
from htp.config import LanguageConfig, LanguageTraining, TokenizerConfig, TokenizerTraining
from htp.errors import InputError

train = typer.Typer(
    help="Train stage 1 (tokenizer, decoder, offsets), stage 2 (language), or HTP+ (routes).", no_args_is_help=True
)

Minutes = Annotated[float | None, typer.Option(min=0.05, help="Train for this long instead of all epochs.")]


class Inputs(StrEnum):
    """What the encoder sees."""

    relative = "relative"
    absolute = "absolute"


class Increments(StrEnum):
    """How the decoder places points along the route."""

    drawn = "drawn"
    anchored = "anchored"
    normalised = "normalised"
    free = "free"


@train.command("tokenizer")
def train_tokenizer(
    data: Annotated[Path, typer.Argument(help="Folder that `htp prepare` wrote.")],
    city: CityFolder,
    out: Annotated[Path, typer.Option(help="Checkpoint folder; a training stopped there goes on.")],
    epochs: Annotated[int, typer.Option(min=1, help="The paper trains 100.")] = TokenizerTraining.epochs,
    minutes: Minutes = None,
    start: Annotated[Path | None, typer.Option("--from", help="Fine-tune the tokenizer of this checkpoint.")] = None,
    inputs: Annotated[Inputs, typer.Option(help="What the encoder sees; absolute: as in the paper.")] = Inputs.relative,
    increments: Annotated[Increments, typer.Option(help="free: as in the paper.")] = Increments.drawn,
    offset_noise: Annotated[bool, typer.Option(help="Draw offsets; off: regress them as in the paper.")] = True,
    batch_size: Annotated[int, typer.Option(min=8, help="Trips a step.")] = TokenizerTraining.batch_size,
    learning_rate: Annotated[float, typer.Option(help="Highest learning rate.")] = TokenizerTraining.learning_rate,
    seed: Seed = 0,
) -> None:
    """Train stage 1, the RQ-VAE that turns trips into travel patterns."""
    from htp.train import train_tokenizer as run

    if increments is Increments.drawn and not offset_noise:
        raise InputError("--no-offset-noise regresses offsets, and with them steps; add --increments free, say.")
    config = TokenizerConfig(inputs=inputs.value, increments=increments.value, offset_noise=offset_noise)
    settings = TokenizerTraining(epochs, minutes, batch_size, learning_rate, seed=seed)
    run(data, city, out, config, settings, start=start, report=_say)


@train.command("decoder")
def train_decoder(
    data: Annotated[Path, typer.Argument(help="Folder that `htp prepare` wrote.")],
    checkpoint: CheckpointFolder,
    epochs: Annotated[int, typer.Option(min=1, help="Times through all trips.")] = TokenizerTraining.epochs,
    minutes: Minutes = None,
    learning_rate: Annotated[float, typer.Option(help="Highest learning rate.")] = TokenizerTraining.learning_rate,
    redrawn: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, help="Share of the trips some of whose patterns the language model writes."),
    ] = 0.0,
    seed: Seed = 0,
) -> None:
    """Train further how points are placed along the route; the patterns stay as they are."""
    from htp.train import train_decoder as run

    settings = TokenizerTraining(epochs, minutes, learning_rate=learning_rate, seed=seed)
    run(data, checkpoint, settings, redrawn=redrawn, report=_say)


@train.command("offsets")
def train_offsets(
    data: Annotated[Path, typer.Argument(help="Folder that `htp prepare` wrote.")],
    checkpoint: CheckpointFolder,
    seed: Seed = 0,
) -> None:
    """Train anew how points scatter around the road; the patterns stay as they are."""
    from htp.train import train_offsets as run

    run(data, checkpoint, seed=seed, report=_say)


@train.command("language")
def train_language(
    data: Annotated[Path, typer.Argument(help="Folder that `htp prepare` wrote.")],
    checkpoint: CheckpointFolder,
    base: Annotated[str | None, typer.Option(help="Causal LM: folder, .gguf or hub name; built-in by default.")] = None,
    lora_rank: Annotated[int, typer.Option(min=1, help="With --base; the paper's is 16.")] = LanguageTraining.lora_rank,
    start: Annotated[
        Path | None, typer.Option("--from", help="Train this checkpoint's language model on, here or on another city.")
    ] = None,
    epochs: Annotated[float, typer.Option(min=0.01, help="The paper trains 2.")] = LanguageTraining.epochs,
    minutes: Minutes = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Trips a step.")] = LanguageTraining.batch_size,
    learning_rate: Annotated[
        float, typer.Option(help="Highest learning rate; the paper's is 5e-4.")
    ] = LanguageTraining.learning_rate,
    seed: Seed = 0,
) -> None:
    """Train stage 2, the language model that writes travel patterns; completes the checkpoint."""
    from htp.train import train_language as run

    if base is not None and start is not None:
        raise InputError("give either --base MODEL or --from CHECKPOINT; a checkpoint knows what it is based on.")
    settings = LanguageTraining(epochs, minutes, batch_size, learning_rate, lora_rank=lora_rank, seed=seed)
    run(data, checkpoint, settings, base=base, start=start, config=LanguageConfig(), report=_say)


@train.command("routes")
def train_routes(
    data: Annotated[Path, typer.Argument(help="Folder that `htp prepare` wrote.")],
    checkpoint: CheckpointFolder,
    epochs: Annotated[float, typer.Option(min=0.01, help="Times through all trips.")] = 4.0,
    minutes: Minutes = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Trips a step.")] = 64,
    learning_rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 2e-3,
    seed: Seed = 0,
) -> None:
    """Train HTP+: the model that writes routes."""
    from htp.train import train_routes as run

    run(data, checkpoint, LanguageTraining(epochs, minutes, batch_size, learning_rate, seed=seed), _say)


def _say(line: dict) -> None:
    print(json.dumps(line), file=sys.stderr, flush=True)
