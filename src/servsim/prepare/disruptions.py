"""What keeps people from their work by chance: days of absence, and interruptions that take a share of each duty."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from servsim.model.organisation import Shrinkage
from servsim.prepare.streams import Streams
from servsim.quantities import clock_time

Span = tuple[int, int]


def is_absent(streams: Streams, share: float, worker: str, date: dt.date) -> bool:
    """One draw for each worker and date; the shifts that begin on the date are not worked."""
    return share > 0 and float(streams.uniforms(1, "absence", worker, date)[0]) < share


def interruptions(
    streams: Streams, shrinkage: Shrinkage, worker: str, date: dt.date, midnight: int, duty: Span
) -> Iterator[Span]:
    """(at, lasts) of the interruptions of a duty: one at a drawn place in each piece of `each` ÷ `share`.

    The last piece may be shorter, and its interruption with it, so that exactly `share` of the duty is lost.
    """
    begin, end = duty
    piece = max(1, round(shrinkage.each / shrinkage.share))
    starts = range(begin, end, piece)
    places = streams.uniforms(len(starts), "shrinkage", worker, date, clock_time(begin - midnight))
    for start, place in zip(starts, places.tolist(), strict=True):
        length = min(piece, end - start)
        lasts = round(length * shrinkage.share)
        if lasts:
            yield start + int(place * (length - lasts)), lasts
