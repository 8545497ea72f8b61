"""Find where lines meet, and cut them there.

    a ------+------ b     an end within a metre of another's end: one node; within a metre of another's inside (d): that
            |             line is cut there; a vertex that two lines share, or a line with itself: both are cut there.
            d             Lines that cross without a shared vertex (a bridge) do not meet.

Official centre lines end at their junctions; where one shares a vertex with another inside both, somebody has put it
there. Letters: N lines, J joints (places on a line that belong to a node, its ends among them), P pieces.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from htp.compute.ragged import Ragged

if TYPE_CHECKING:
    from numpy.typing import NDArray

SNAP_M = 1.0  # ends this near are one node
SAME_M = 0.01  # places this near are the same
LEAST_LOOP_M = 3 * SNAP_M  # a piece from a node to itself that is shorter is left over from snapping


@dataclass(frozen=True)
class Joints:
    """Places on lines and the nodes they belong to, in the order of lines and along them."""

    line: NDArray[np.int64]  # [J]
    at_m: NDArray[np.float64]  # [J] along the line
    node: NDArray[np.int64]  # [J]

    @classmethod
    def of(cls, line: NDArray[np.int64], at_m: NDArray[np.float64], node: NDArray[np.int64]) -> Joints:
        """Return joints in their order."""
        order = np.lexsort((at_m, line))
        return cls(line[order], at_m[order], node[order])


@dataclass(frozen=True)
class Pieces:
    """Lines cut at their joints."""

    line: NDArray[np.int64]  # [P]
    u: NDArray[np.int64]  # [P] node
    v: NDArray[np.int64]  # [P]
    places: Ragged[np.float64]  # [P] rows of [·, 2], from the place of u to that of v


@dataclass(frozen=True)
class Vertices:
    """The vertices of lines, end to end."""

    xy: NDArray[np.float64]  # [K, 2]
    line: NDArray[np.int64]  # [K]
    along_m: NDArray[np.float64]  # [K]
    is_end: NDArray[np.bool_]  # [K]

    @classmethod
    def of(cls, lines: NDArray[np.object_]) -> Vertices:
        """Return the vertices of lines without repeated points."""
        xy, line = shapely.get_coordinates(lines, return_index=True)
        changes = np.diff(line, prepend=-1, append=len(lines)) != 0
        step_m = np.r_[0.0, np.hypot(*np.diff(xy, axis=0).T)]
        step_m[changes[:-1]] = 0.0
        total = np.cumsum(step_m)
        return cls(xy, line, total - total[changes[:-1]][line], changes[:-1] | changes[1:])


def joints_of(lines: NDArray[np.object_]) -> Joints:
    """Return where lines in metres meet, without repeated points."""
    vertices = Vertices.of(lines)
    shared = np.flatnonzero(vertices.is_end | _is_shared(vertices))
    touched, touched_m, touched_xy = _touched(lines, vertices)
    line = np.r_[vertices.line[shared], touched]
    at_m = np.r_[vertices.along_m[shared], touched_m]
    return Joints.of(line, at_m, _nodes(np.concatenate([vertices.xy[shared], touched_xy])))


def cut(lines: NDArray[np.object_], joints: Joints) -> Pieces:
    """Return the pieces of lines between their joints, each from node to node.

    A node lies where a line is met inside, else at the first end there. What snapping leaves over of a line is gone.
    """
    vertices = Vertices.of(lines)
    length_m = shapely.length(lines)
    inside = (joints.at_m > SAME_M) & (joints.at_m < length_m[joints.line] - SAME_M)
    first = np.lexsort((np.arange(len(inside)), ~inside, joints.node))
    first = first[np.diff(joints.node[first], prepend=-1) != 0]
    spot = np.zeros((joints.node.max() + 1, 2))
    spot[joints.node[first]] = shapely.get_coordinates(
        shapely.line_interpolate_point(lines[joints.line[first]], joints.at_m[first])
    )
    xy = np.concatenate([vertices.xy, spot[joints.node]])
    line = np.r_[vertices.line, joints.line]
    at_m = np.r_[vertices.along_m, joints.at_m]
    node = np.r_[np.full(len(vertices.line), -1), joints.node]
    order = np.lexsort((node, at_m, line))
    order = order[_kept(line[order], at_m[order], node[order])]
    return _between(xy[order], line[order], node[order])


def _kept(line: NDArray[np.int64], at_m: NDArray[np.float64], node: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which places are needed: vertices give way to joints at the same place."""
    is_joint = node >= 0
    near_next = (line[1:] == line[:-1]) & (at_m[1:] - at_m[:-1] <= SAME_M)
    before = np.r_[near_next & is_joint[1:], False]
    after = np.r_[False, near_next & is_joint[:-1]]
    return is_joint | ~(before | after)


def _between(xy: NDArray[np.float64], line: NDArray[np.int64], node: NDArray[np.int64]) -> Pieces:
    at = np.flatnonzero(node >= 0)
    along = np.flatnonzero(line[at[1:]] == line[at[:-1]])
    begin, end = at[along], at[along + 1]
    rows = Ragged.ranges(begin, end - begin + 1)
    places = rows.like(xy[rows.flat])
    step_m = np.r_[0.0, np.hypot(*np.diff(places.flat, axis=0).T)]
    step_m[places.first[:-1]] = 0.0
    kept = np.flatnonzero((node[begin] != node[end]) | (places.like(step_m).sum() > LEAST_LOOP_M))
    return Pieces(line[begin][kept], node[begin][kept], node[end][kept], places.take(kept))


def _is_shared(vertices: Vertices) -> NDArray[np.bool_]:
    """Say which vertices lie at the place of another, of another line or the same, [K]."""
    place = _cells(vertices.xy)
    return np.bincount(place)[place] > 1


def _cells(xy: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the number of each place, the same for places that are the same, [N]."""
    cell = np.rint(xy / SAME_M).astype(np.int64)
    code, _ = pd.factorize(cell[:, 0] * (1 << 32) + cell[:, 1])
    return code


def _touched(
    lines: NDArray[np.object_], vertices: Vertices
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return where ends touch the insides of lines: line, metres along it, place."""
    ends = vertices.xy[vertices.is_end]
    ends = ends[np.unique(_cells(ends), return_index=True)[1]]
    begin = np.flatnonzero(vertices.line[1:] == vertices.line[:-1])
    steps = np.stack([vertices.xy[begin], vertices.xy[begin + 1]], axis=1)
    tree = shapely.STRtree(np.asarray(shapely.linestrings(steps)))
    end, step = tree.query(shapely.points(ends), predicate="dwithin", distance=SNAP_M)
    origin, move = steps[step, 0], steps[step, 1] - steps[step, 0]
    share = np.clip(((ends[end] - origin) * move).sum(axis=1) / (move**2).sum(axis=1), 0, 1)
    place, line = origin + share[:, None] * move, vertices.line[begin[step]]
    at_m = vertices.along_m[begin[step]] + share * np.hypot(*move.T)
    away_m = np.hypot(*(place - ends[end]).T)
    at_its_end = _at_own_end(lines, line, at_m, ends[end])
    order = np.lexsort((away_m, line, end))
    order = order[~at_its_end[order]]
    nearest = order[np.diff(end[order] * len(lines) + line[order], prepend=-1) != 0]
    return line[nearest], at_m[nearest], place[nearest]


def _at_own_end(
    lines: NDArray[np.object_], line: NDArray[np.int64], at_m: NDArray[np.float64], end_xy: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Say where a line is near an end because its own end is there, which is one node with it anyway."""
    own = [shapely.get_coordinates(shapely.get_point(lines, which))[line] for which in (0, -1)]
    near = [np.hypot(*(xy - end_xy).T) <= SNAP_M for xy in own]
    left_m = shapely.length(lines)[line] - at_m
    return (near[0] & (at_m <= 2 * SNAP_M)) | (near[1] & (left_m <= 2 * SNAP_M))


def _nodes(xy: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the node of each joint: those within a metre of each other are one, [J]."""
    place = _cells(xy)
    spots = xy[np.unique(place, return_index=True)[1]]
    pairs = cKDTree(spots).query_pairs(SNAP_M + SAME_M, output_type="ndarray")
    links = csr_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(spots), len(spots)))
    return connected_components(links, directed=False)[1][place].astype(np.int64)
