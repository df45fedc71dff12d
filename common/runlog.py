"""What a run leaves behind: its log as CSV, the files written whole or not at all, and how a script ends."""

import contextlib
import errno
import math
import os
import signal
import sys
from array import array
from pathlib import Path

import numpy as np


class RunLog:
    """The record of one run. As a context manager around the training loop it writes the files however the loop ends.

        log = RunLog(args)
        with log.files(A_start, pictures):
            for i in log.steps():
                ...
                log.record(rand_x, rand_y, A_now, loss_now)

    `args` is what `options.parse` returned. The columns are arrays with one element a step: `x` and `y` (float64),
    `loss` (float32), and `A` (float32), which has the starting value in front.
    """

    def __init__(self, args):
        self.args = args
        self.x, self.y, self.A, self.loss = array("d"), array("d"), array("f"), array("f")
        make_folder(args.output_dir)

    def steps(self):
        """Count the steps like `range(args.steps)`; raises `Ended` when the run diverged or a signal asks to stop."""
        for i in range(self.args.steps):
            yield i
            self._check()

    def record(self, x, y, A, loss):
        """Take down one step: the sample fed, and `A` and the loss after it; each holds a single number."""
        self.x.append(x[0])
        self.y.append(y[0])
        self.A.append(A.item())
        self.loss.append(loss.item())

    def csv(self):
        """The log as text. Read back, x and y are the same float64, and A and the loss the same float32."""
        A, loss = map(str, np.array(self.A)), map(str, np.array(self.loss))
        rows = ["step,x,y,A,loss", f"0,,,{next(A)},"]
        for step, (x, y) in enumerate(zip(self.x, self.y, strict=True), 1):
            rows.append(f"{step},{x!r},{y!r},{next(A)},{next(loss)}")
        return "\n".join(rows) + "\n"

    def files(self, A_start, pictures, limit=""):
        """A context that records from `A_start` (one number) on and then writes the log and the pictures.

        `pictures` maps what the end of a picture's name is to a function that draws it, to bytes or None for no such
        picture; `limit` says, for a run that diverged, which rate theory allows.
        """
        self.A.append(A_start.item())
        self._limit, self._stop = limit, StopSignals()
        return files_written(self.args.name, lambda: self._write(pictures))

    def _write(self, pictures):
        folder, name = self.args.output_dir, self.args.name
        files = {folder / f"{name}.csv": self.csv().encode()}
        try:
            for ending, draw in pictures.items():
                if picture := draw():
                    files[folder / f"{name}{ending}.png"] = picture
        finally:
            save(files)
        return files

    def _check(self):
        step = len(self.loss)
        if not (math.isfinite(self.A[-1]) and math.isfinite(self.loss[-1])):
            raise Ended(
                f"the run diverged at step {step} with learning rate {self.args.learning_rate} (A = {self.A[-1]}, "
                f"loss = {self.loss[-1]}): try a smaller one{self._limit}", 1)
        self._stop.check(f"after step {step}")


class Ended(Exception):
    """The work ended early: the sentence that says why, and the exit status."""

    def __init__(self, sentence, status):
        super().__init__(sentence)
        self.status = status


class StopSignals:
    """Ctrl-C and SIGTERM, noted when they come and acted on where it suits; the second one ends the process at once."""

    def __init__(self):
        self._number = None
        for number in STOP_SIGNALS:
            signal.signal(number, self._note)

    def _note(self, number, frame):
        if self._number:
            os._exit(128 + number)
        self._number = number

    def check(self, place):
        """Raise `Ended` if a signal came; `place` says how far the work is."""
        if self._number:
            name = signal.Signals(self._number).name
            raise Ended(f"stopped by {name} {place}; what was recorded so far is written", 128 + self._number)


@contextlib.contextmanager
def files_written(name, write):
    """Write the files when the block ends, also when it ends early, and say where they are.

    `write()` returns their paths. A block that raises `Ended` ends the script with its sentence and status.
    """
    try:
        yield
    except Ended as early:
        write()
        print(f"{name}.py: {early}.", file=sys.stderr)
        raise SystemExit(early.status) from None
    except OSError:  # nobody reads standard output any more, or it is full: that costs no file
        write()
        raise
    for path in write():
        print("Wrote", shown(path))


STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_script(main):
    """Run a script's `main()` so that it ends as a command should: no traceback for Ctrl-C or a closed pipe."""
    for number in STOP_SIGNALS:
        signal.signal(number, lambda number, frame: os._exit(128 + number))  # until there is something to save
    if sys.stdout:
        sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    try:
        try:
            main()
        finally:
            if sys.stdout:
                sys.stdout.flush()
        os._exit(0)  # everything is written, and taking TensorFlow down piece by piece would only take time
    except OSError as error:
        if error.filename is not None:
            raise
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python flushes at its end
        if error.errno == errno.EPIPE:
            raise SystemExit(128 + 13) from None  # as if ended by SIGPIPE
        raise SystemExit(f"Cannot write to standard output: {error.strerror}.") from None


def make_folder(folder):
    """Make the output folder where it is missing and see that a file can be made in it; SystemExit says if not."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = _beside(folder / "probe")
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SystemExit(
            f"Cannot write in the folder '{folder}': {error.strerror}; name another one with --output-dir."
        ) from None


def save(files):
    """Write `files`, a dict from path to bytes, so that each appears whole or not at all.

    All are first written beside their places, then moved there, so a full disk leaves the earlier files as they
    were. Raises SystemExit with one sentence if that fails.
    """
    written = {}
    try:
        for path, content in files.items():
            written[path] = _beside(path)
            with open(written[path], "xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for path, whole in written.items():
            os.replace(whole, path)
    except OSError as error:
        for whole in written.values():
            whole.unlink(missing_ok=True)
        raise SystemExit(f"Cannot write '{path}': {error.strerror}; the earlier files are as they were.") from None


def shown(path):
    """The path as the user would type it here: relative if it lies below the working folder."""
    try:
        return Path(path).resolve().relative_to(Path.cwd())
    except (ValueError, OSError):
        return path


def _beside(path):
    """A name nobody else uses, in the same folder, for what is not whole yet."""
    return path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")
