"""The random numbers of a run: one seed, and a stream of its own for the samples, the start of `A` and the picks.

Because each has its own stream, other steps, rates or optimizers change no sample. Many runs come in chunks of `CHUNK`,
each chunk with three streams of its own, so a run is the same whatever the number of runs beside it; the first
run of chunk 0 is the recipe's.
"""

from typing import NamedTuple

import numpy as np

CHUNK = 1024  # runs; a multiple of every vector register's width, so that all runs are computed alike


class Streams(NamedTuple):
    """Three independent `numpy.random.Generator`s."""

    samples: np.random.Generator
    start: np.random.Generator
    picks: np.random.Generator


def streams(seed, chunk=0):
    """The streams of one chunk of runs; `seed` and `chunk` are integers from 0 on."""
    return Streams(*(np.random.default_rng([seed, chunk, stream]) for stream in range(3)))


def pick_rows(rng, size, steps):
    """Draw, for `steps` steps and each run of a chunk, the index of one of `size` samples: int32 [steps, CHUNK]."""
    return rng.integers(size, size=(steps, CHUNK), dtype=np.int32)  # int32 is the fastest type to draw


def picks(rng, size):
    """Yield without end the index of the sample that the recipe's run, the first of its chunk, takes at each step."""
    while True:
        yield from pick_rows(rng, size, 64)[:, 0].tolist()
