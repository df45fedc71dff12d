"""The log of a run: x, y, `A` and the loss of each training step."""

import csv

import numpy as np


class Log:
    """What the sessions of a run note: the sample fed at each step, and `A` and the loss as they are after it.

    x, y, loss  [steps], and A [steps + 1] with the starting value in front; float32 in the recipes
    session     the session that noted the steps
    unknown     why steps are not noted, or nothing more is told of them: a sentence without its full stop
    watcher     an object whose before(session, step, fetches, feed_dict) and after(session, step) surround each step
    """

    current = None  # the log of the run that is under way

    def __init__(self):
        self.session = self.start = self.unknown = self.watcher = None
        self.steps, self._parts = 0, []

    def append(self, columns):
        """Add steps: x, y, `A` and the loss, [steps, ...] each."""
        self._parts.append(np.stack([np.ravel(column).astype(self.start.dtype) for column in columns], axis=1))

    @property
    def rows(self):
        """x, y, `A` and the loss of all steps, [steps, 4]."""
        if self.session:
            self.session.drain()
        self._parts = [np.concatenate(self._parts)] if self._parts else [np.empty((0, 4), np.float32)]
        return self._parts[0]

    x, y, loss = (property(lambda self, column=column: self.rows[:, column]) for column in (0, 1, 3))
    A = property(lambda self: np.append(self.start, self.rows[:, 2]))

    def __len__(self):
        return len(self.rows)

    def __repr__(self):
        return f"<{len(self):,} step{'s' * (len(self) != 1)}: x, y, A, loss; the last A is {self.A[-1]!s}>"

    def write(self, file):
        """Write the log as CSV; read back, the numbers are the same. x, y and the loss of step 0 are empty."""
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("step", "x", "y", "A", "loss"))
        table.writerow((0, "", "", self.start, ""))
        table.writerows((step, *row) for step, row in enumerate(self.rows, 1))
