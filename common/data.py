"""The random numbers of a run: one seed, and a stream of its own for the samples, the start of `A` and the picks.

Because each has its own stream, other steps, rates or optimizers change no sample. Many runs come in chunks of `CHUNK`,
each chunk with three streams of its own; the first run of chunk 0 is the recipe's, however many stand beside it.
"""

from typing import NamedTuple

import numpy as np

CHUNK = 1024  # runs; a multiple of every vector register's width, so that all runs of a chunk are computed alike
ROWS = 128  # steps whose picks are drawn together


class Streams(NamedTuple):
    """Three independent `numpy.random.Generator`s."""

    samples: np.random.Generator
    start: np.random.Generator
    picks: np.random.Generator


def streams(seed, chunk=0):
    """The streams of one chunk of runs; `seed` is a whole number from 0 on, `chunk` one below 2^32.

    What numpy hashes into a stream is different for each seed, chunk and stream: a seed of 32 bits makes three words
    with the other two, a longer one at least six.
    """
    def stream(number):
        if seed < 2**32:
            return np.random.SeedSequence([seed, chunk, number])
        return np.random.SeedSequence(seed, spawn_key=(chunk, number))

    return Streams(*(np.random.default_rng(stream(number)) for number in range(3)))


class Picks:
    """Draws the index of the sample that the recipe's run, the first of its chunk, takes at each step."""

    def __init__(self, rng):
        self._rng, self._size, self._coming = rng, None, None

    def choice(self, size):
        """A whole number from 0 to `size` - 1, each as likely as the others."""
        if size != self._size:
            self._size, self._coming = size, _first_lane(self._rng, size)
        return next(self._coming)


def _first_lane(rng, size):
    rows = np.empty((ROWS, 1), np.int32)
    while True:
        draw_picks(rng, size, rows)
        yield from rows[:, 0].tolist()


def draw_picks(rng, size, into):
    """Fill `into` [steps, lanes] with the picks of a chunk's first `lanes` runs: indices of one of `size` samples.

    For 2 to 65,536 samples, 16 random bits are cut into `size` equal shares and drawn again where they fall into the
    rest, which is exact and takes half the time of drawing the indices themselves.
    """
    if not 1 < size <= 65536:
        for row in into:
            row[:] = rng.integers(size, size=CHUNK)[: into.shape[1]]
        return
    share = 65536 // size
    for first in range(0, len(into), ROWS):
        bits = rng.integers(65536, size=(ROWS, CHUNK), dtype=np.uint16)
        while (rest := bits >= share * size).any():
            bits[rest] = rng.integers(65536, size=np.count_nonzero(rest), dtype=np.uint16)
        rows = into[first : first + ROWS]
        rows[:] = (bits // np.uint16(share))[: len(rows), : into.shape[1]]
