"""Named streams of uniforms: a draw belongs to its case, step and purpose, never to the moment at which it is made."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Uniforms = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Streams:
    """All randomness of one replication.

    Stream `name` is Philox, keyed by the seed, the replication and a digest of the name. Entry i of a stream is the
    same whatever else is drawn and however many entries are asked for; so a changed roster, a removed step or more
    demand leaves every other draw as it was.
    """

    seed: int
    replication: int

    def uniforms(self, n: int, *name: object) -> Uniforms:
        """The first n entries of a stream, each in [0, 1)."""
        label = "/".join(map(str, name)).encode()
        words = np.frombuffer(hashlib.sha256(label).digest(), dtype="<u4").tolist()
        key = np.random.SeedSequence(self.seed, spawn_key=(self.replication, *words))
        return np.random.Generator(np.random.Philox(key)).random(n)

    def at(self, entries: NDArray[np.int64], *name: object) -> Uniforms:
        """Those entries of a stream."""
        if not len(entries):
            return np.empty(0)
        return self.uniforms(int(entries.max()) + 1, *name)[entries]
