"""The work of `--runs N` on the classification recipe, written for one library: draw, train, find arrivals, loss.

    python many_runs.py LIBRARY RUNS

prints the seconds from the first number drawn to the last result, compiling included, and the mean of the last `A`.
LIBRARY is ours, jax, torch or numpy. Each gets the same work in the form that suits it best: blocks of runs that
stay in the cache, the numbers of the next block drawn in a second thread meanwhile, by numpy as int32. `jax-ours` is
JAX with this project's faster way of drawing the picks.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / room) for room in ("recipes", ".")]
STEPS, SIZE, RATE, TARGET = 1400, 100, 0.05, -1.0


def drawn(block, runs):
    """The numbers of a block of `runs`: samples [runs, 100], starts [runs] and picks [steps, runs]."""
    rng = np.random.default_rng([8, block])
    x = (rng.normal(0, 1, (runs, SIZE)) + np.repeat([-1.0, 3.0], 50)).astype(np.float32)
    start = rng.normal(10, 1, runs).astype(np.float32)
    if not sys.argv[1].endswith("-ours"):
        return x, start, rng.integers(SIZE, size=(STEPS, runs), dtype=np.int32).astype(np.uint8)
    from common import data

    picks = np.empty((STEPS, runs), np.uint8)
    for first in range(0, runs, data.CHUNK):
        data.draw_picks(rng, SIZE, picks[:, first : first + data.CHUNK])
    return x, start, picks


def blocks(runs, width):
    """Yield the blocks of all runs, each drawn while the one before is trained on."""
    with ThreadPoolExecutor(1) as pool:
        count = -(-runs // width)
        coming = pool.submit(drawn, 0, width)
        for block in range(1, count + 1):
            now, coming = coming.result(), pool.submit(drawn, block, width) if block < count else None
            yield now


LABELS = np.repeat([0.0, 1.0], 50).astype(np.float32)


def ours(runs):
    import classification

    from common import tf1 as tf
    from common.comparison import loops

    tf.load()

    def train():
        args = SimpleNamespace(runs=runs, steps=STEPS, seed=8, rows=[("gradient-descent", RATE)])
        (A, *_), = loops.outcomes(classification.main, args, lambda: None, lambda done: None)
        return A

    return train


def jax(runs, width=4096):
    import jax
    import jax.numpy as jnp

    jax.devices()

    @jax.jit
    def train_block(x, start, picks):
        flat, row, labels = x.ravel(), jnp.arange(width) * SIZE, jnp.asarray(LABELS)

        def step(carry, pick):
            A, arrived, at = carry
            pick = pick.astype(jnp.int32)
            A = A - RATE * (jax.nn.sigmoid(flat[row + pick] + A) - labels[pick])
            arrived = jnp.where((jnp.abs(A - TARGET) < 0.5) & (arrived == 0), at, arrived)
            return (A, arrived, at + 1), None

        (A, arrived, _), _ = jax.lax.scan(step, (start, jnp.zeros(width, jnp.int32), 1), picks)
        z = x + A[:, None]
        loss = jnp.mean(jnp.maximum(z, 0) - z * labels + jnp.log1p(jnp.exp(-jnp.abs(z))), axis=1)
        return A, arrived, loss

    def train():
        return np.concatenate([np.array(train_block(*block)[0]) for block in blocks(runs, width)])[:runs]

    return train


def torch(runs, width=16384):
    import torch

    torch.set_num_threads(1)  # the other core draws
    labels = torch.from_numpy(LABELS)

    def train_block(x, start, picks):
        x, A, picks = torch.from_numpy(x), torch.from_numpy(start), torch.from_numpy(picks)
        arrived = torch.zeros(width, dtype=torch.int32)
        for at in range(STEPS):
            pick = picks[at].long()
            A -= RATE * (torch.sigmoid(x.gather(1, pick[:, None])[:, 0] + A) - labels[pick])
            arrived[((A - TARGET).abs() < 0.5) & (arrived == 0)] = at + 1
        z = x + A[:, None]
        (z.clamp(min=0) - z * labels + torch.log1p(torch.exp(-z.abs()))).mean(1)
        return A.numpy()

    @torch.no_grad()
    def train():
        return np.concatenate([train_block(*block) for block in blocks(runs, width)])[:runs]

    return train


def numpy(runs, width=4096):
    row = np.arange(width) * SIZE

    def train_block(x, A, picks):
        flat, arrived = x.ravel(), np.zeros(width, np.int32)
        for at in range(STEPS):
            pick = picks[at]
            A -= np.float32(RATE) * (1 / (1 + np.exp(-(flat[row + pick] + A))) - LABELS[pick])
            arrived[(np.abs(A - np.float32(TARGET)) < 0.5) & (arrived == 0)] = at + 1
        z = x + A[:, None]
        np.mean(np.maximum(z, 0) - z * LABELS + np.log1p(np.exp(-np.abs(z))), axis=1)
        return A

    def train():
        return np.concatenate([train_block(*block) for block in blocks(runs, width)])[:runs]

    return train


if __name__ == "__main__":
    library, runs = sys.argv[1].removesuffix("-ours"), int(sys.argv[2])
    train = {"ours": ours, "jax": jax, "torch": torch, "numpy": numpy}[library](runs)
    began = time.perf_counter()
    A = train()
    seconds = time.perf_counter() - began
    assert len(A) == runs
    print(seconds, A.mean())
