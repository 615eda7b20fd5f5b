"""What of a process stands above what and beside what: layers, lanes of departments, and tracks within the lanes.

Boxes stand in layers (longest path from the start) and, within their lane, in tracks side by side. An arrow that passes
layers goes down a track in which it is alone there; one that leads back goes up in one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

from servsim.report.flow import REMOVED, Arrow, Chart

CROSSING = 3.0
"""How many tracks of length a crossing counts."""
ROUNDS = 8
"""How often all boxes are looked at, at most, to find them a better place."""


# ---------------------------------------------------------------------- order: what comes after what
def leading_back(boxes: Sequence[str], arrows: Sequence[Arrow]) -> set[int]:
    """Numbers of the arrows that lead back, to a box that is still being left: without them there is no circle."""
    out: dict[str, list[int]] = {box: [] for box in boxes}
    for n in sorted(range(len(arrows)), key=lambda n: arrows[n].mark == REMOVED):
        out[arrows[n].source].append(n)
    back: set[int] = set()
    done: set[str] = set()
    for root in boxes:
        path = [(root, iter(out[root]))] if root not in done else []
        while path:
            at, ahead = path[-1]
            number = next(ahead, -1)
            if number < 0:
                done.add(at)
                path.pop()
            elif any(arrows[number].target == on_path for on_path, _ in path):
                back.add(number)
            elif arrows[number].target not in done:
                path.append((arrows[number].target, iter(out[arrows[number].target])))
    return back


def layers(boxes: Sequence[str], arrows: Iterable[Arrow]) -> dict[str, int]:
    """Box → the number of arrows on the longest way to it. The arrows lead in no circle."""
    before: dict[str, list[str]] = {box: [] for box in boxes}
    for arrow in arrows:
        before[arrow.target].append(arrow.source)
    found: dict[str, int] = {}

    def layer(box: str) -> int:
        if box not in found:
            found[box] = max((layer(source) + 1 for source in before[box]), default=0)
        return found[box]

    return {box: layer(box) for box in boxes}


def lanes_of(chart: Chart, layer: Mapping[str, int], ahead: Sequence[Arrow]) -> dict[str, str]:
    """Box → department; where nobody works, that of a box before it, at the beginning of one behind it."""
    lane = {box.id: box.lane for box in chart.boxes}
    for box in sorted(lane, key=layer.__getitem__):
        before = [a.source for a in ahead if a.target == box and lane[a.source]]
        if before and not lane[box]:
            lane[box] = lane[before[0]]
    for box in sorted(lane, key=layer.__getitem__, reverse=True):
        if not lane[box]:
            after = [a.target for a in ahead if a.source == box and lane[a.target]]
            lane[box] = lane[min(after, key=layer.__getitem__)] if after else ""
    return lane


# ---------------------------------------------------------------------- tracks: what stands beside what
Track = tuple[int, float]
"""Number of the lane, place within it: whole numbers for boxes, others for arrows alone."""


@dataclass
class _Tracks:
    """Who is where in which layer."""

    taken: dict[Track, set[int]] = field(default_factory=dict)

    def free(self, track: Track, spans: Iterable[int]) -> bool:
        return not self.taken.get(track, set()) & set(spans)

    def take(self, track: Track, spans: Iterable[int]) -> Track:
        self.taken.setdefault(track, set()).update(spans)
        return track

    def nearest(self, tracks: Iterable[Track], spans: Sequence[int], cost: Callable[[Track], object]) -> Track:
        return self.take(min((t for t in tracks if self.free(t, spans)), key=lambda t: (cost(t), t)), spans)

    def of_lane(self, lane: int) -> list[float]:
        return sorted(place for number, place in self.taken if number == lane)

    def between(self, lane: int) -> list[Track]:
        """New tracks for arrows: at both sides and between any two."""
        known = self.of_lane(lane) or [0.0]
        outer = [known[0] - 0.5, known[-1] + 0.5]
        return [(lane, place) for place in [*outer, *((a + b) / 2 for a, b in pairwise(known))]]


class Places:
    """Layer, lane and track of each box, and the track of each arrow that passes layers (by its number)."""

    def __init__(self, chart: Chart, slim: Callable[[str], bool]) -> None:
        """`slim`: whether a box is so small that it may stand in a track of arrows.

        Lanes stand in the order in which work begins in them.
        """
        self.chart, self.slim = chart, slim
        self.box = {box.id: box for box in chart.boxes}
        self.back = leading_back([*self.box], chart.arrows)
        ahead = [arrow for n, arrow in enumerate(chart.arrows) if n not in self.back]
        self.layer = layers([*self.box], ahead)
        self.n_layers = max(self.layer.values()) + 1
        lane = lanes_of(chart, self.layer, ahead)
        order = [*chart.lanes, *dict.fromkeys(lane.values())]
        own = {name: [self.layer[box.id] for box in chart.boxes if box.lane == name] for name in lane.values()}
        self.lanes = sorted(own, key=lambda name: (min(own[name], default=0), order.index(name)))
        self.lane = {box: self.lanes.index(name) for box, name in lane.items()}
        self.ahead = ahead
        self.tracks = _Tracks()
        self.track: dict[str, Track] = {}
        self.chain: dict[int, Track] = {}
        self._boxes_into_tracks()
        self._boxes_beside_their_neighbours()
        self._arrows_into_tracks()

    def _boxes_into_tracks(self) -> None:
        for box in sorted(self.box, key=self.layer.__getitem__):
            lane = self.lane[box]
            before = [self.track[a.source][1] for a in self.ahead if a.target == box and self.lane[a.source] == lane]
            ideal = sum(before) / len(before) if before else 0.0
            places: list[Track] = [(lane, float(place)) for place in range(len(self.box) + 1)]
            if self.slim(box):
                places += [track for track in self.tracks.taken if track[0] == lane] + self.tracks.between(lane)
            cost = partial(_aside, ideal=ideal)
            self.track[box] = self.tracks.nearest(places, [self.layer[box]], cost)

    def _boxes_beside_their_neighbours(self) -> None:
        """Moves boxes, or swaps two of a layer, as long as arrows get shorter or cross less."""
        beside = [(a, b) for a in self.box for b in self.box if a < b and self._interchangeable(a, b)]
        for _ in range(ROUNDS):
            moved = [self._better_swap(a, b) for a, b in beside] + [self._better_place(box) for box in self.box]
            if not any(moved):
                break
        self.tracks = _Tracks()
        for box, track in self.track.items():
            self.tracks.take(track, [self.layer[box]])

    def _interchangeable(self, one: str, other: str) -> bool:
        slim = {self.slim(box) for box in (one, other)}
        return len(slim) == 1 and (self.layer[one], self.lane[one]) == (self.layer[other], self.lane[other])

    def _better_swap(self, one: str, other: str) -> bool:
        return self._better([one, other], {one: self.track[other], other: self.track[one]})

    def _better_place(self, box: str) -> bool:
        slim, layer = self.slim(box), self.layer[box]
        held = {self.track[other] for other in self.box if self.layer[other] == layer}
        known = {track for track in self.track.values() if track[0] == self.lane[box]} - held
        places = sorted(track for track in known if slim or track[1] == int(track[1]))
        moved = [self._better([box], {box: place}) for place in places]
        return any(moved)

    def _better(self, boxes: Sequence[str], places: Mapping[str, Track]) -> bool:
        old, now = {box: self.track[box] for box in boxes}, self._strain(boxes)
        self.track.update(places)
        if self._strain(boxes) < now - 1e-9:
            return True
        self.track.update(old)
        return False

    def _strain(self, boxes: Sequence[str]) -> float:
        """Lengths and crossings of the arrows at these boxes."""
        mine = [arrow for arrow in self.ahead if arrow.source in boxes or arrow.target in boxes]
        length = sum(abs(_far(self.track[a.source]) - _far(self.track[a.target])) for a in mine)
        return length + CROSSING * sum(self._cross(a, b) for a in mine for b in self.ahead)

    def _cross(self, one: Arrow, other: Arrow) -> bool:
        first = max(self.layer[one.source], self.layer[other.source])
        last = min(self.layer[one.target], self.layer[other.target])
        if first >= last:
            return False
        apart = [self._at(one, layer) - self._at(other, layer) for layer in (first, last)]
        return apart[0] * apart[1] < 0

    def _at(self, arrow: Arrow, layer: int) -> float:
        """Where a straight arrow would pass a layer."""
        first, last = self.layer[arrow.source], self.layer[arrow.target]
        start, end = _far(self.track[arrow.source]), _far(self.track[arrow.target])
        return start + (end - start) * (layer - first) / (last - first)

    def passed(self, number: int) -> range:
        """The layers that an arrow passes beside their boxes."""
        arrow = self.chart.arrows[number]
        first, last = self.layer[arrow.source], self.layer[arrow.target]
        return range(last, first + 1) if number in self.back else range(first + 1, last)

    def _arrows_into_tracks(self) -> None:
        for number in sorted(range(len(self.chart.arrows)), key=lambda n: len(self.passed(n))):
            spans = self.passed(number)
            if not spans:
                continue
            ends = [self.track[box] for box in (self.chart.arrows[number].source, self.chart.arrows[number].target)]
            lanes = sorted({lane for lane, _ in ends})
            known = [track for track in self.tracks.taken if track[0] in lanes]
            new = [track for lane in lanes for track in self.tracks.between(lane)]
            cost = partial(_detour, ends=ends, new=frozenset(new))
            self.chain[number] = self.tracks.nearest([*known, *new], spans, cost)


def _aside(track: Track, ideal: float) -> tuple[float, float]:
    """How far a track lies from the one that a box would like; to the right is better than to the left."""
    return abs(track[1] - ideal), -track[1]


def _detour(track: Track, ends: Sequence[Track], new: frozenset[Track]) -> float:
    """How far out of its way an arrow goes down a track; a new one takes room."""
    return (0.6 if track in new else 0.0) + sum(abs(_far(track) - _far(end)) for end in ends)


def _far(track: Track) -> float:
    """How far to the right a track lies, in tracks, roughly."""
    return 4 * track[0] + track[1]
