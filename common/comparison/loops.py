"""Many runs at once: the training loop itself compiled into the graph.

`A` is a vector with one element a run, since every operation and every optimizer works element by element. The runs
come in the chunks of `data.CHUNK`, and while the graph trains one, a second thread draws the numbers of the next.
A run's `A` is that of the script's own loop to the bit in the regression, and in the classification up to 3e-7 away,
since the processor computes the exponentials of several runs at once; with XLA it is up to 1e-5 away in both.
"""

from collections import deque
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from common import data
from common import tf1 as tf
from common.comparison import blocks, optimizers
from common.run import diverged

NEAR = 0.5  # a run has arrived when A is closer than this to its target
XLA_FROM = 4 * 1024 * 1400  # runs times steps; below, compiling takes longer than it saves


class Loop:
    """The training loop of one optimizer for runs of the shape of `block`, in a graph and a session of its own."""

    def __init__(self, recipe, optimizer, block, xla):
        length, lanes = block.picks.shape
        size, place = block.x.shape[1], tf.placeholder
        with tf.Graph().as_default():
            self.x, self.y = place(tf.float32, [lanes, size]), place(tf.float32, block.y.shape)
            self.picks = place(block.picks.dtype, [length, lanes])
            self.start, self.rate = place(tf.float32, [lanes]), place(tf.float32, [])
            self.begin, self.end, self.before = (place(tf.int32, []) for _ in range(3))

            A = tf.Variable(self.start)
            arrived = tf.Variable(tf.zeros([lanes], tf.int32), trainable=False)  # the step, or 0 for not yet
            farthest = tf.Variable(tf.zeros([lanes]), trainable=False)  # from the target, of all steps
            my_opt = optimizers.OPTIMIZERS[optimizer](self.rate)

            def advance(x, y, picks, begin, end, before):
                own_y = block.y.ndim == 2
                x, y, row = tf.reshape(x, [-1]), tf.reshape(y, [-1]), tf.range(lanes) * size

                def step(i):
                    pick = tf.cast(picks[i], tf.int32)
                    own = row + pick
                    _, loss = recipe.graph(tf.gather(x, own), tf.gather(y, own if own_y else pick), A)
                    with tf.control_dependencies([my_opt.minimize(loss, var_list=[A])]):
                        distance = tf.abs(A.read_value() - recipe.target)
                    known = arrived.read_value()
                    now = tf.where((distance < NEAR) & tf.equal(known, 0), tf.fill([lanes], before + i + 1), known)
                    with tf.control_dependencies([
                            arrived.assign(now), farthest.assign(tf.maximum(farthest.read_value(), distance))]):
                        return i + 1

                return tf.while_loop(lambda i: i < end, step, [begin], parallel_iterations=1)

            advance = tf.xla(advance) if xla else advance
            trained = advance(self.x, self.y, self.picks, self.begin, self.end, self.before)
            with tf.control_dependencies([tf.identity(trained)]):
                self._after = [A.read_value(), arrived.read_value(), farthest.read_value()]
            self._init = tf.global_variables_initializer()
            self._session = tf.Session(config=tf.threads(2 if xla else -1))

    def reset(self, start):
        """Put `A` (float32 [lanes]) and all that the optimizer remembers to their first values."""
        self._session.run(self._init, {self.start: start})

    def advance(self, rate, block, begin, end):
        """Train on the rows `begin` to `end` of the block's picks.

        Returns, as they are then, `A` (float32 [lanes]), the step at which each run arrived, or 0 (int32 [lanes]), and
        how far from its target it has been (float32 [lanes]).
        """
        return self._session.run(self._after, {
            self.x: block.x, self.y: block.y, self.picks: block.picks, self.rate: rate,
            self.begin: begin, self.end: end, self.before: block.before})


class MeanLoss:
    """The loss of runs of the shape of `block` over all their samples, in a graph and a session of its own."""

    def __init__(self, recipe, block):
        lanes, size = block.x.shape
        with tf.Graph().as_default():
            self.x, self.y, self.A = (
                tf.placeholder(tf.float32, shape) for shape in ([lanes, size], block.y.shape, [lanes]))
            x, y = (tf.reshape(each + tf.zeros([lanes, size]), [-1]) for each in (self.x, self.y))
            every = recipe.graph(x, y, tf.reshape(tf.tile(self.A[:, None], [1, size]), [-1]))[1]
            self._loss = tf.reduce_mean(tf.reshape(every, [lanes, size]), axis=1)
            self._session = tf.Session()

    def __call__(self, A, block):
        """The mean loss of `A` over the samples of each run: float32 [lanes]."""
        return self._session.run(self._loss, {self.x: block.x, self.y: block.y, self.A: A})


def outcomes(recipe, args, check, done):
    """Train every row of `args.rows` on the same runs; yield for each (A, loss, arrived, gone, at, paths).

    A, loss (float32), arrived (int32) and gone (bool: the run diverged) have one element a run and are used again for
    the next row; `paths` holds `A` [points, lanes] of the first chunk's runs at the steps `at` [points]. `check()` is
    called every few milliseconds and may raise; `done(n)` after n more runs.
    """
    lanes = 1 if args.runs == 1 else data.CHUNK
    xla = args.runs * args.steps > XLA_FROM
    every = 1 if args.steps <= 140 else args.steps // 35
    at = np.append(np.arange(0, args.steps, every), args.steps)
    A, loss, arrived, gone = (np.empty(args.runs, kind) for kind in (np.float32, np.float32, np.int32, bool))
    second, mean_loss, built = ThreadPoolExecutor(1), None, None

    def keep(block, runs, last_A, last_arrived, farthest):
        count = runs.stop - runs.start
        last_loss = mean_loss(last_A, block)
        with np.errstate(all="ignore"):
            lost = diverged(last_A, last_loss, recipe.target, block.start)
            if not np.all(farthest < 1e6):  # then the loss may have been beyond float32 on the way
                for side in (-1, 1):
                    lost |= ~np.isfinite(mean_loss(recipe.target + side * farthest, block))
        A[runs], loss[runs], arrived[runs], gone[runs] = (
            values[:count] for values in (last_A, last_loss, last_arrived, lost))

    for optimizer, rate in args.rows:
        paths, kept = [], deque()
        for block in blocks.ahead(blocks.draw_blocks(recipe, args.seed, args.runs, lanes, args.steps)):
            if built != optimizer:
                mean_loss = mean_loss or MeanLoss(recipe, block)
                loop, built = Loop(recipe, optimizer, block, xla), optimizer
            if block.before == 0:
                loop.reset(block.start)
                paths += [block.start] if block.chunk == 0 else []
            ends = at - block.before if block.chunk == 0 else at[:0]
            begin = 0
            for end in sorted({block.steps, *ends[(ends > 0) & (ends < block.steps)]}):
                last = loop.advance(rate, block, begin, end)
                paths += [last[0]] if end in ends else []
                check()
                begin = end
            if block.before + block.steps == args.steps:
                runs = slice(block.chunk * data.CHUNK, min((block.chunk + 1) * data.CHUNK, args.runs))
                kept.append(second.submit(keep, block, runs, *last))
                if len(kept) > 8:
                    kept.popleft().result()
                done(runs.stop - runs.start)
        for coming in kept:
            coming.result()
        yield A, loss, arrived, gone, at, np.array(paths)[:, :args.runs]
