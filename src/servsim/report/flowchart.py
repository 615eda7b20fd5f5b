"""Where the boxes and arrows of a process stand: downwards in the order of the flow, a lane for each department.

Between the layers arrows bend; beside the boxes of a layer they keep to their tracks. So no arrow crosses a box.
Lengths are inches, y counts downwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from servsim.report.flow import BEGIN, DECISION, END, FORK, OUT, WAIT, WORK, Arrow, Box, Chart
from servsim.report.flowtracks import Places, Track
from servsim.report.writing import balanced, columns

Point = tuple[float, float]

TITLE, DETAIL = 0.145, 0.125
"""Height of a line of a box's title and of all smaller texts."""
LETTER = 0.066
"""Width of a column of the smaller texts."""
WIDTHS = {WORK: 1.7, WAIT: 1.6, DECISION: 1.6, FORK: 1.5}
COLUMNS = 25  # of a title in the widest box
SLIM = 0.4
"""What is less wide may stand in a track of arrows; arrows meet in one point there."""
EDGE, CHANNEL, GAP, TURN = 0.1, 0.24, 0.22, 0.15
"""Room beside a track of boxes; least width of a track of arrows; between layers; depth of a U-turn."""


@dataclass(frozen=True)
class Placed:
    """A box with the lines that stand in it."""

    box: Box
    x: float  # centre
    top: float
    width: float
    height: float
    title: tuple[str, ...]
    details: tuple[str, ...]

    @property
    def bottom(self) -> float:
        return self.top + self.height


@dataclass(frozen=True)
class Route:
    """An arrow as a path: its beginning, then straight pieces (one point) and curves (three: two controls, the end)."""

    arrow: Arrow
    start: Point
    pieces: tuple[tuple[Point, ...], ...]
    label: tuple[str, ...]
    label_at: Point  # centre
    leads_back: bool

    @property
    def end(self) -> Point:
        return self.pieces[-1][-1]


@dataclass(frozen=True)
class Lane:
    name: tuple[str, ...]
    left: float
    right: float


@dataclass(frozen=True)
class Layout:
    boxes: tuple[Placed, ...]
    routes: tuple[Route, ...]
    lanes: tuple[Lane, ...]
    width: float
    height: float
    head: float  # height of the names of the lanes


def layout(chart: Chart) -> Layout:
    """The places of all boxes and arrows of a chart; the same for the same chart."""
    return _Drawing(chart).layout()


class _Drawing:
    """A layout in the making."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        self.size = {box.id: _size(box) for box in chart.boxes}
        self.at = Places(chart, lambda box: self.size[box].width < SLIM)

    # ------------------------------------------------------------------ x
    @cached_property
    def labels(self) -> list[tuple[str, ...]]:
        return [tuple(balanced(arrow.label, 16)) if arrow.label else () for arrow in self.chart.arrows]

    def _widths(self) -> dict[Track, float]:
        width = dict.fromkeys(self.at.tracks.taken, CHANNEL)
        for box, track in self.at.track.items():
            width[track] = max(width[track], self._room(box))
        for number, track in self.at.chain.items():
            width[track] = max(width[track], _text_width(self.labels[number]) + 0.1)
        for arrow, label in zip(self.chart.arrows, self.labels, strict=True):
            track = self.at.track[arrow.target]
            width[track] = max(width[track], _text_width(label) + 0.1)
        return width

    def _room(self, box: str) -> float:
        """Width that a box needs, with the text beside it."""
        size = self.size[box]
        beside = 2 * (_text_width(size.title) + 0.15) if self.at.box[box].shape == OUT else 0.0
        return size.width + beside + (2 * EDGE if size.width > SLIM else 0.08)

    @cached_property
    def across(self) -> tuple[dict[Track, float], list[Lane]]:
        """The centre of each track; the lanes."""
        width, left = self._widths(), 0.0
        centre: dict[Track, float] = {}
        found: list[Lane] = []
        for number, lane in enumerate(self.at.lanes):
            places = self.at.tracks.of_lane(number)
            name = tuple(balanced(self.chart.lanes.get(lane, lane), 20)) if lane else ()
            room = sum(width[number, place] for place in places)
            pad = max(0.08, (1.25 * _text_width(name) + 0.2 - room) / 2)
            at = left + pad
            for place in places:
                centre[number, place] = at + width[number, place] / 2
                at += width[number, place]
            found.append(Lane(name, left, at + pad))
            left = at + pad
        return centre, found

    # ------------------------------------------------------------------ y
    @cached_property
    def down(self) -> tuple[list[float], list[float]]:
        """Top and bottom of each layer."""
        height = [0.0] * self.at.n_layers
        for box, layer in self.at.layer.items():
            height[layer] = max(height[layer], self.size[box].height)
        gap = [self._gap(layer) for layer in range(self.at.n_layers)]
        tops: list[float] = []
        at = self.head + 0.12
        for layer in range(self.at.n_layers):
            tops.append(at + (gap[layer] if layer else 0.0))
            at = tops[-1] + height[layer]
        return tops, [top + height[layer] for layer, top in enumerate(tops)]

    def _gap(self, layer: int) -> float:
        """Room above a layer: for the texts on arrows that come there, for U-turns, for a mark on a box."""
        ends = [(self.at.layer[arrow.source], self.at.layer[arrow.target]) for arrow in self.chart.arrows]
        ahead = [n for n in range(len(ends)) if n not in self.at.back]
        text = max((len(self.labels[n]) for n in ahead if ends[n][0] == layer - 1), default=0)
        turned = any(layer in (ends[n][0] + 1, ends[n][1]) for n in self.at.back)
        marked = any(self.at.layer[box.id] == layer and box.mark for box in self.chart.boxes)
        room = 0.26 + DETAIL * text if text else GAP
        return room + (0.05 if marked else 0.0) + (0.12 if turned else 0.0)

    @cached_property
    def head(self) -> float:
        return max((TITLE * len(lane.name) + 0.12 for lane in self.across[1] if lane.name), default=0.0)

    # ------------------------------------------------------------------ together
    def layout(self) -> Layout:
        centre, found = self.across
        tops, bottoms = self.down
        placed = []
        for box in self.chart.boxes:
            size = self.size[box.id]
            x, top = centre[self.at.track[box.id]], tops[self.at.layer[box.id]]
            placed.append(Placed(box, x, top, size.width, size.height, size.title, size.details))
        turned = any(self.at.layer[self.chart.arrows[n].source] == self.at.n_layers - 1 for n in self.at.back)
        height = bottoms[-1] + (0.25 if turned else 0.1)
        return Layout(tuple(placed), tuple(self._routes(placed)), tuple(found), found[-1].right, height, self.head)

    def _routes(self, placed: Sequence[Placed]) -> Iterable[Route]:
        where = {each.box.id: each for each in placed}
        leave, reach = self._ports(where, outward=True), self._ports(where, outward=False)
        for number, arrow in enumerate(self.chart.arrows):
            first, last = where[arrow.source], where[arrow.target]
            make = self._backwards if number in self.at.back else self._forwards
            yield make(number, (leave[number], first.bottom), (reach[number], last.top))

    def _ports(self, where: Mapping[str, Placed], outward: bool) -> dict[int, float]:
        """x at which each arrow leaves (or reaches) its box: beside one another, in the order of their other ends."""
        centre = self.across[0]
        ports: dict[int, float] = {}
        for box, here in where.items():
            ends = [(a.source, a.target) if outward else (a.target, a.source) for a in self.chart.arrows]
            mine = [n for n, (own, _) in enumerate(ends) if own == box]
            other = {n: centre[self.at.chain[n]] if n in self.at.chain else where[ends[n][1]].x for n in mine}
            mine = sorted(mine, key=other.__getitem__)
            wide = here.width * 0.7 if here.width > SLIM else 0.0
            step = min(wide / (len(mine) - 1), 0.3) if len(mine) > 1 else 0.0
            ports |= {n: here.x + step * (i - (len(mine) - 1) / 2) for i, n in enumerate(mine)}
        return ports

    def _forwards(self, number: int, start: Point, end: Point) -> Route:
        arrow, (tops, bottoms) = self.chart.arrows[number], self.down
        first, last = self.at.layer[arrow.source], self.at.layer[arrow.target]
        pieces: list[tuple[Point, ...]] = [((start[0], bottoms[first]),)]
        x = self.across[0][self.at.chain[number]] if number in self.at.chain else end[0]
        pieces.append(_curve((start[0], bottoms[first]), (x, tops[first + 1])))
        high = DETAIL * len(self.labels[number]) / 2
        above_box = (x, tops[first + 1] - 0.13 - high)
        label_at = (start[0], bottoms[first] + 0.06 + high) if self._crowded(number) else above_box
        if number in self.at.chain:
            pieces += [((x, bottoms[last - 1]),), _curve((x, bottoms[last - 1]), (end[0], tops[last]))]
        return Route(arrow, start, tuple(pieces), self.labels[number], label_at, False)

    def _crowded(self, number: int) -> bool:
        """Whether texts of several arrows would stand side by side above a box; they stand at the other end."""
        target = self.chart.arrows[number].target
        direct = [n for n, arrow in enumerate(self.chart.arrows) if arrow.target == target and n not in self.at.chain]
        return number in direct and sum(bool(self.labels[n]) for n in direct) > 1

    def _backwards(self, number: int, start: Point, end: Point) -> Route:
        arrow, (tops, bottoms) = self.chart.arrows[number], self.down
        below, above = bottoms[self.at.layer[arrow.source]], tops[self.at.layer[arrow.target]]
        x = self.across[0][self.at.chain[number]]
        down, up = below + TURN, above - TURN
        pieces: tuple[tuple[Point, ...], ...] = (
            ((start[0], below),), ((start[0], down), (x, down), (x, below)), ((x, above),),
            ((x, up), (end[0], up), end),
        )  # fmt: skip
        source = tops[self.at.layer[arrow.source]]
        return Route(arrow, start, pieces, self.labels[number], (x, (source + below) / 2), True)


# ---------------------------------------------------------------------- parts
@dataclass(frozen=True)
class _Size:
    width: float
    height: float
    title: tuple[str, ...]
    details: tuple[str, ...]


def _size(box: Box) -> _Size:
    title = tuple(balanced(box.title, COLUMNS)) if box.title else ()
    details = tuple(_filled([*box.details.values()]))
    text = TITLE * len(title) + DETAIL * len(details)
    if box.shape in (BEGIN, END):
        return _Size(0.16, 0.16, (), ())
    if box.shape == OUT:
        return _Size(0.16, 0.16, title, ())
    if box.shape == DECISION and not text:
        return _Size(0.28, 0.28, (), ())
    if box.shape == FORK:
        return _Size(WIDTHS[FORK], 0.07 + text + (0.05 if text else 0.0), title, details)
    return _Size(WIDTHS[box.shape], text + 0.1, title, details)


def _filled(details: Sequence[str]) -> list[str]:
    """As many in a line as fit."""
    lines: list[str] = []
    for detail in details:
        if lines and columns(f"{lines[-1]} · {detail}") <= COLUMNS + 2:
            lines[-1] += f" · {detail}"
        else:
            lines += balanced(detail, COLUMNS + 2)
    return lines


def _text_width(lines: Sequence[str]) -> float:
    return LETTER * max(map(columns, lines), default=0)


def _curve(start: Point, end: Point) -> tuple[Point, Point, Point]:
    """Down at both ends."""
    middle = (start[1] + end[1]) / 2
    return (start[0], middle), (end[0], middle), end
