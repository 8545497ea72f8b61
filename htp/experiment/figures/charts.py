"""Draw what is a chart: lengths (Figure 7), speed (Figure 8), codes in use (Figure 9), codebooks (Figure 10)."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from htp.experiment.codebooks import LAYERS, SIZES, name_of
from htp.experiment.figures.subject import COLOURS, REAL, canvas, style
from htp.experiment.layout import read_json
from htp.experiment.speed import read_speeds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from htp.experiment.figures.subject import Subject

BINS = 40
THICK = 0.8  # of all bars of a method


def lengths(subject: Subject) -> Figure | None:
    """Draw how trips are distributed over their numbers of points, real ones and those of each method."""
    if not subject.firsts:
        return None
    figure = canvas(subject, 5.6, 3.2)
    axes = figure.subplots()
    for at, (name, edges, values) in enumerate(curves(subject)):
        if at == 0:
            axes.stairs(values, edges, fill=True, color=REAL, alpha=0.35, label=name)
            continue
        colour, dash = style(at - 1)
        axes.stairs(values, edges, color=colour, linestyle=dash, linewidth=1.2, label=name)
    axes.set(xlabel="Points of a trip", ylabel="Density")
    axes.legend(fontsize=7, frameon=False)
    return figure


def curves(subject: Subject) -> Iterator[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
    """Yield name, edges and density of the real trips, then of the first seed of each method."""
    real = subject.firsts[0].lengths["real"]
    edges = edges_of(real)
    yield "Real trips", edges, density(real, edges)
    for result in subject.firsts:
        yield result.label, edges, density(result.lengths["generated"], edges)


def density(lengths: dict[int, int], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of trips a point of length in each bin, [bins]; trips beyond the edges count in the whole."""
    points, trips = np.array(list(lengths), dtype=float), np.array(list(lengths.values()), dtype=float)
    counts, _ = np.histogram(points, edges, weights=trips)
    return counts / trips.sum() / np.diff(edges)


def edges_of(real: dict[int, int]) -> NDArray[np.float64]:
    """Return the edges of bins over the real lengths, whole numbers in each, [bins + 1]."""
    low, high = min(real), max(real) + 1
    width = max(1, -(-(high - low) // BINS))
    return np.arange(low, high + width, width, dtype=float) - 0.5


def speed(subject: Subject) -> Figure | None:
    """Draw how long each method takes for a trip: side by side where that was measured, else as it generated."""
    if not subject.firsts:
        return None
    ms = bars(subject)
    thick, labels = THICK / ms.shape[1], list(ms.index)
    figure = canvas(subject, 5.6, (0.16 * ms.shape[1] + 0.16) * len(labels) + 1.2)
    axes = figure.subplots()
    for at, batch in enumerate(ms):
        places = np.arange(len(labels)) + (at - (ms.shape[1] - 1) / 2) * thick
        drawn = axes.barh(places, ms[batch], thick, color=COLOURS[(at + 1) % len(COLOURS)], label=f"{batch} at once")
        axes.bar_label(drawn, fmt="%.2f", padding=3, fontsize=6)
    axes.set_yticks(range(len(labels)), labels)
    axes.invert_yaxis()
    axes.set(xlabel="Milliseconds a trip", xmargin=0.3)
    if ms.shape[1] > 1:
        axes.set_xscale("log")  # from under one to thousands
        axes.legend(fontsize=7, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def bars(subject: Subject) -> pd.DataFrame:
    """Return milliseconds a trip, a row a method, a column a batch, from one measurement.

    Where there is none: one column of what each method took in generating all trips, the mean over the seeds, and at
    how many trips at once in its name.
    """
    speeds = read_speeds(subject.layout, subject.rows)
    if speeds is not None:
        return speeds.ms
    results = [result for row in subject.rows for result in row.results]
    by = pd.DataFrame([vars(result) for result in results]).groupby("label", sort=False)
    ms, batch = by["ms_per_trip"].mean(), by["batch"].max()
    return ms.set_axis([f"{label} ({at} at once)" for label, at in batch.items()]).to_frame("all")


def code_use(subject: Subject) -> Figure | None:
    """Draw the share of each layer's codes that is in use while HTP's tokenizer is trained."""
    use = use_of(subject)
    if use is None:
        return None
    figure = canvas(subject, 5.6, 3.2)
    axes = figure.subplots()
    for colour, (layer, shares) in zip(cycle(COLOURS), use.items(), strict=False):
        axes.plot(shares, color=colour, linewidth=1.2, marker=".", label=f"Layer {layer}")
    axes.set(xlabel=use.index.name, ylabel=use.columns.name, ylim=(0, 103))
    axes.legend(fontsize=7, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def use_of(subject: Subject) -> pd.DataFrame | None:
    """Return percent of each layer's codes that windows of the first HTP's training use; None where there is none.

    A row a window, the step at its end; a column a layer, from 1.
    """
    stages = [stage for row in subject.ours for stage in row.results[0].stages]
    facts = next((stage["code_use"] for stage in stages if "code_use" in stage), None)
    if facts is None or not facts["steps"]:
        return None
    shares = np.array(facts["shares"])
    layers = pd.RangeIndex(1, shares.shape[1] + 1, name=f"% of codes used by {facts['window']:,} patterns")
    return pd.DataFrame(100 * shares, pd.Index(facts["steps"], name="Training steps"), layers)


def codebooks(subject: Subject) -> Figure | None:
    """Draw the reconstruction loss over codebook sizes and over the number of layers."""
    sizes, layers = losses(subject)
    if not sizes and not layers:
        return None
    figure = canvas(subject, 6.4, 3.0)
    left, right = figure.subplots(1, 2, sharey=True)
    names = [name.replace("-", "\n") for name in sizes]  # one under another, so that they fit below their bar
    drawn = left.bar(names, list(sizes.values()), color=COLOURS[1], width=0.6)
    left.bar_label(drawn, fmt="%.3f", fontsize=7)
    left.tick_params(axis="x", labelsize=7)
    left.set_ylabel("Reconstruction loss")
    left.set_title("(a) codebook sizes of four layers", fontsize=8)
    right.plot(list(layers), list(layers.values()), color=COLOURS[0], marker="o")
    right.set_xlabel("Layers")
    right.set_title("(b) number of layers", fontsize=8)
    for axes in (left, right):
        axes.set_ylim(bottom=0.0)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def losses(subject: Subject) -> tuple[dict[str, float], dict[str, float]]:
    """Return the loss of held-out trips by sizes and by number of layers, of what was trained on these trips."""
    fingerprint = subject.rows[0].any.data["fingerprint"]
    sizes: dict[str, float] = {}
    layers: dict[str, float] = {}
    for found, books in ((sizes, SIZES), (layers, LAYERS)):
        for book in books:
            facts = read_json(subject.layout.codebooks(name_of(book)))
            if facts is not None and facts["fingerprint"] == fingerprint:
                found[name_of(book) if found is sizes else str(len(book))] = facts["loss"]
    return sizes, layers
