"""The random numbers of many runs, drawn in blocks and ahead of the training."""

import copy
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
    y: np.ndarray  # float32 [lanes, samples], or [samples] where all runs have the same
    start: np.ndarray  # float32 [lanes]
    picks: np.ndarray  # uint8 or int32 [length, lanes]
    before: int  # steps before the first
    steps: int  # rows of picks that are filled


def draw_blocks(recipe, seed, runs, lanes, steps):
    """Draw the blocks of all runs, chunk by chunk and within it in the order of the steps."""
    length = min(steps, LENGTH)
    for chunk in range(-(-runs // data.CHUNK)):
        streams = data.streams(seed, chunk)
        x, y = draw_samples(recipe, streams.samples, lanes)
        start = np.empty(lanes, np.float32)
        start[:] = recipe.draw_start(streams.start, lanes)  # or one number for all
        size = x.shape[1]
        for before in range(0, steps, length):
            filled = min(length, steps - before)
            picks = np.zeros((length, lanes), np.uint8 if size <= 256 else np.int32)
            data.draw_picks(streams.picks, size, picks[:filled])
            yield Block(chunk, x, y, start, picks, before, filled)


def draw_samples(recipe, rng, lanes):
    """The samples of many runs, as the recipe draws them for one after the other: `x` and `y` of a `Block`.

    Where the recipe only asks for normal numbers and joins them, as the page does, it is called once for all of them,
    in a fifth of the time; the first two runs, drawn one by one, tell whether that is the same.
    """
    one_by_one = copy.deepcopy(rng)
    first = [recipe.draw_samples(one_by_one) for _ in range(min(lanes, 2))]
    try:
        counted = _Together(np.zeros((0, 1)))
        recipe.draw_samples(counted)
        together = copy.deepcopy(rng)
        x, y = recipe.draw_samples(_Together(together.standard_normal((lanes, counted.drawn)).T))
        same = all(np.array_equal(x[:, lane], one_x) and np.array_equal(y, one_y)
                   for lane, (one_x, one_y) in enumerate(first))
    except Exception:  # whatever a recipe may do with numbers that have a dimension more
        same = False
    if same:
        return np.ascontiguousarray(x.T, np.float32), y.astype(np.float32)
    first += [recipe.draw_samples(one_by_one) for _ in range(lanes - len(first))]
    x, y = (np.array(column, np.float32) for column in zip(*first, strict=True))
    return x, y


class _Together:
    """Stands in for a generator: gives normal numbers [size, lanes] out of `normals` [drawn, lanes] where one run's
    generator gives [size]. Without any `normals` it counts how many are drawn."""

    def __init__(self, normals):
        self._normals, self.drawn = normals, 0

    def normal(self, loc=0.0, scale=1.0, size=1):
        before, self.drawn = self.drawn, self.drawn + size
        if not len(self._normals):
            return np.zeros((size, 1))
        return loc + scale * self._normals[before : self.drawn]


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
