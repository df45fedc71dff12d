"""The random numbers of many runs, drawn in blocks and ahead of the training."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from common import data

LENGTH = 16 * data.ROWS  # steps whose picks are held at once


class Block(NamedTuple):
    """The numbers of one chunk of runs for some of its steps."""

    chunk: int
    x: np.ndarray  # float32 [lanes, samples]
    y: np.ndarray  # float32 [lanes, samples]
    start: np.ndarray  # float32 [lanes]
    picks: np.ndarray  # uint8 or int32 [length, lanes]
    before: int  # steps before the first
    steps: int  # rows of picks that are filled


def draw_blocks(recipe, seed, runs, lanes, steps):
    """Draw the blocks of all runs, chunk by chunk and within it in the order of the steps."""
    length = min(steps, LENGTH)
    for chunk in range(-(-runs // data.CHUNK)):
        streams = data.streams(seed, chunk)
        x, y = (np.array(column, np.float32)
                for column in zip(*(recipe.draw_samples(streams.samples) for _ in range(lanes)), strict=True))
        start = np.asarray(recipe.draw_start(streams.start, lanes), np.float32)
        size = x.shape[1]
        for before in range(0, steps, length):
            filled = min(length, steps - before)
            picks = np.zeros((length, lanes), np.uint8 if size <= 256 else np.int32)
            data.draw_picks(streams.picks, size, picks[:filled])
            yield Block(chunk, x, y, start, picks, before, filled)


def ahead(iterator, depth=8):
    """Return an iterator of the same items that a second thread computes, from now on and up to `depth` ahead."""
    pool = ThreadPoolExecutor(1)
    coming = deque(pool.submit(next, iterator, None) for _ in range(depth))

    def items():
        with pool:
            while (item := coming.popleft().result()) is not None:
                coming.append(pool.submit(next, iterator, None))
                yield item

    return items()
