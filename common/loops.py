"""Many runs at once: the training loop itself compiled into the graph.

`A` is a vector with one element a run, since every operation and every optimizer works element by element. The runs
come in the chunks of `data.CHUNK`, and while the graph trains one, a second thread draws the numbers of the next.
"""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from common import data, optimizers
from common import tf1 as tf

BLOCK = 16 * data.ROWS  # steps whose picks are held at once
NEAR = 0.5  # a run has arrived when A is closer than this to its target
XLA_FROM = 4 * 1024 * 1400  # runs times steps; below, compiling takes longer than it saves


class Problem(NamedTuple):
    """What a recipe hands over to have its runs compared.

    graph         (x, y, A) -> output, loss; tensors of like shapes
    draw_samples  (generator, shape) -> x_vals float64 [runs, size], y_vals float64 [size]
    size          samples a run
    start_mean    the mean of the starting value of `A`, whose standard deviation is 1
    target        what `A` should come to
    title         of the picture
    limit         the learning rate at which gradient descent diverges in theory
    """

    graph: object
    draw_samples: object
    size: int
    start_mean: float
    target: float
    title: str
    limit: float


class Loop:
    """The training loop of one optimizer for `lanes` runs side by side, in a graph and a session of its own."""

    def __init__(self, problem, optimizer, lanes, block, xla):
        size, place = problem.size, tf.placeholder
        with tf.Graph().as_default():
            self.x, self.y = place(tf.float32, [lanes, size]), place(tf.float32, [size])
            self.picks = place(tf.uint8 if size <= 256 else tf.int32, [block, lanes])
            self.start, self.rate = place(tf.float32, [lanes]), place(tf.float32, [])
            self.begin, self.end, self.before = (place(tf.int32, []) for _ in range(3))

            A = tf.Variable(self.start)
            arrived = tf.Variable(tf.zeros([lanes], tf.int32), trainable=False)  # the step, or 0 for not yet
            my_opt = optimizers.OPTIMIZERS[optimizer](self.rate)
            my_opt.apply_gradients([(self.start, A)])  # never run: it makes the slot variables that the loop will find

            def advance(x, y, picks, begin, end, before):
                samples, row = tf.reshape(x, [-1]), tf.range(lanes) * size

                def step(i):
                    pick = tf.cast(picks[i], tf.int32)
                    _, loss = problem.graph(tf.gather(samples, row + pick), tf.gather(y, pick), A)
                    with tf.control_dependencies([my_opt.minimize(loss, var_list=[A])]):
                        near = tf.abs(A.read_value() - problem.target) < NEAR
                    known = arrived.read_value()
                    now = tf.where(near & tf.equal(known, 0), tf.fill([lanes], before + i + 1), known)
                    with tf.control_dependencies([arrived.assign(now)]):
                        return i + 1

                return tf.while_loop(lambda i: i < end, step, [begin], parallel_iterations=1)

            advance = tf.xla(advance) if xla else advance
            trained = advance(self.x, self.y, self.picks, self.begin, self.end, self.before)
            with tf.control_dependencies([tf.identity(trained)]):
                self._after = [A.read_value(), arrived.read_value()]
            self._init = tf.global_variables_initializer()
            self._session = tf.Session(config=tf.one_thread(2 if xla else -1))

    def reset(self, start):
        """Put `A` (float32 [lanes]) and all that the optimizer remembers to their first values."""
        self._session.run(self._init, {self.start: start})

    def advance(self, rate, block, begin, end):
        """Train on the rows `begin` to `end` of the block's picks; returns, as they are then, `A` (float32 [lanes]) and
        the step at which each run arrived, or 0 (int32 [lanes])."""
        return self._session.run(self._after, {
            self.x: block.x, self.y: block.y, self.picks: block.picks, self.rate: rate,
            self.begin: begin, self.end: end, self.before: block.before})


class MeanLoss:
    """The loss of `lanes` runs over all their samples, in a graph and a session of its own."""

    def __init__(self, problem, lanes):
        with tf.Graph().as_default():
            self.x, self.y, self.A = (
                tf.placeholder(tf.float32, shape) for shape in ([lanes, problem.size], [problem.size], [lanes]))
            every = problem.graph(self.x, tf.tile(self.y[None], [lanes, 1]), self.A[:, None])[1]
            self._loss = tf.reduce_mean(tf.reshape(every, [lanes, problem.size]), axis=1)
            self._session = tf.Session(config=tf.one_thread())

    def __call__(self, A, block):
        """The mean loss of `A` over the samples of each run: float32 [lanes]."""
        return self._session.run(self._loss, {self.x: block.x, self.y: block.y, self.A: A})


class Block(NamedTuple):
    """The numbers of one chunk of runs for some of its steps."""

    chunk: int
    x: np.ndarray  # float32 [lanes, size]
    y: np.ndarray  # float32 [size]
    start: np.ndarray  # float32 [lanes]
    picks: np.ndarray  # uint8 or int32 [block, lanes]
    before: int  # steps before the first
    steps: int  # rows of picks that are filled


def draw_blocks(problem, seed, runs, lanes, steps):
    """Draw the blocks of all runs, chunk by chunk and within it in the order of the steps."""
    length = min(steps, BLOCK)
    for chunk in range(-(-runs // data.CHUNK)):
        streams = data.streams(seed, chunk)
        x, y = problem.draw_samples(streams.samples, (lanes, problem.size))
        start = streams.start.normal(problem.start_mean, size=lanes).astype(np.float32)
        for before in range(0, steps, length):
            filled = min(length, steps - before)
            picks = np.zeros((length, lanes), np.uint8 if problem.size <= 256 else np.int32)
            data.draw_picks(streams.picks, problem.size, picks[:filled])
            yield Block(chunk, x.astype(np.float32), y.astype(np.float32), start, picks, before, filled)


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


def outcomes(problem, args, check, done):
    """Train every row of `args.rows` on the same runs; yield for each (A, loss, arrived, at, paths).

    A, loss (float32) and arrived (int32) have one element a run and are used again for the next row; `paths` holds `A`
    [points, lanes] of the first chunk's runs at the steps `at` [points]. `check()` is called every few milliseconds
    and may raise; `done(n)` after n more runs.
    """
    lanes = 1 if args.runs == 1 else data.CHUNK
    xla = args.runs * args.steps > XLA_FROM
    every = 1 if args.steps <= 140 else args.steps // 35
    at = np.append(np.arange(0, args.steps, every), args.steps)
    A, loss, arrived = (np.empty(args.runs, kind) for kind in (np.float32, np.float32, np.int32))
    mean_loss, second, built = MeanLoss(problem, lanes), ThreadPoolExecutor(1), None

    def keep_loss(last_A, block, runs):
        loss[runs] = mean_loss(last_A, block)[: runs.stop - runs.start]

    for optimizer, rate in args.rows:
        blocks = ahead(draw_blocks(problem, args.seed, args.runs, lanes, args.steps))
        if built != optimizer:
            loop, built = Loop(problem, optimizer, lanes, min(args.steps, BLOCK), xla), optimizer
        paths, losses = [], deque()
        for block in blocks:
            if block.before == 0:
                loop.reset(block.start)
                paths += [block.start] if block.chunk == 0 else []
            ends = at - block.before if block.chunk == 0 else at[:0]
            begin = 0
            for end in sorted({block.steps, *ends[(ends > 0) & (ends < block.steps)]}):
                last_A, last_arrived = loop.advance(rate, block, begin, end)
                paths += [last_A] if end in ends else []
                check()
                begin = end
            if block.before + block.steps == args.steps:
                runs = slice(block.chunk * data.CHUNK, min((block.chunk + 1) * data.CHUNK, args.runs))
                count = runs.stop - runs.start
                A[runs], arrived[runs] = last_A[:count], last_arrived[:count]
                losses.append(second.submit(keep_loss, last_A, block, runs))
                if len(losses) > 8:
                    losses.popleft().result()
                done(count)
        for coming in losses:
            coming.result()
        yield A, loss, arrived, at, np.array(paths)[:, :args.runs]
