"""Train a stage as one of several processes: python -m torch.distributed.run … this.py STAGE DATA CHECKPOINT [stop].

`as_one_of_two` does so in a process that a test started and that has PyTorch already. Each leaves the model that it has
when they part as CHECKPOINT/seen-RANK.safetensors. With `stop` the first is interrupted at its second report.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

import htp.language.train as language_training
from htp.compute import distributed, training_loop
from htp.config import LanguageConfig, LanguageTraining, TokenizerConfig, TokenizerTraining
from htp.language.language import Language
from htp.tokenizer import offsets_train
from htp.tokenizer.tokenizer import Tokenizer
from htp.train import train_language, train_tokenizer

SIZES = TokenizerConfig((4, 6, 8, 10), (16, 16, 16, 32), quantizer_dim=8, head_dim=16, road_dim=16, road_layers=1)
BUILT_IN = LanguageConfig(hidden=32, layers=1, heads=2, kv_heads=1, intermediate=32, text_vocabulary=300)
models = []


def keep(kind):
    """Remember the models that a training makes."""
    new = kind.new

    def kept(*arguments, **options):
        made = new(*arguments, **options)
        models.append(made.model)
        return made

    kind.new = kept


def part_leaving(file):
    """Write the model before the processes part: from then on the first one rounds it and trains what is left."""
    part = distributed.part

    def write_and_part():
        save_file({name: tensor.clone().contiguous() for name, tensor in models[-1].state_dict().items()}, file)
        part()

    distributed.part = write_and_part


def main(stage, data, checkpoint, stop=None):
    """Train one stage."""
    training_loop.SAVE_EVERY_S = -1.0
    offsets_train.EPOCHS, offsets_train.MIN_STEPS = 0, 5
    language_training.LOG_STEPS = 1
    heard = []

    def report(line):
        if "heldout_loss" in line:
            return
        heard.append(line)
        if stop and len(heard) == 2:
            raise KeyboardInterrupt

    keep(Tokenizer)
    keep(Language)
    checkpoint.mkdir(exist_ok=True)
    part_leaving(checkpoint / f"seen-{os.environ['RANK']}.safetensors")
    if stage == "tokenizer":
        settings = TokenizerTraining(epochs=3, batch_size=12, learning_rate=3e-3)
        train_tokenizer(data, data / "city", checkpoint, SIZES, settings, report=report)
    else:
        settings = LanguageTraining(epochs=2, batch_size=16, learning_rate=1e-2)
        train_language(data, checkpoint, settings, config=BUILT_IN, report=report)


def as_one_of_two(number, port, *arguments):
    """Train one stage in a process that finds the other at the store behind a port, as torchrun's processes do."""
    torch.set_num_threads(1)
    os.environ |= {"RANK": str(number), "LOCAL_RANK": str(number), "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "TORCHELASTIC_USE_AGENT_STORE": "True"}
    main(*arguments)


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:4]), *sys.argv[4:])
