"""A single run: trained by the script's own `train`, and what it leaves behind however it ends."""

from common import report, signals
from common.log import Log


def run(recipe, args, output):
    """Train as the flags say, write the log and all that is computed from it, however the run ends; the log."""
    log, ended = train(recipe, args, args.rows[0], output)
    if not len(log) and (ended or not log.unknown):  # nothing was trained, and no earlier file is to be lost for it
        raise ended or SystemExit(
            "train() takes no step that feeds x and y: let it execute sess.run(train_step, feed_dict=…) in a session "
            "of common.tf1.")
    try:
        report.report(recipe, args, log, ended, output)
    except signals.Stopped as stopped:
        output.failed(f"{stopped}; what is not named as written is not written", stopped.code)
    if isinstance(ended, Exception) and not report.is_output(ended):
        raise ended
    return log


def train(recipe, args, row, output=None):
    """Have the script train with a row's optimizer and rate; its log, written to `output`, and what ended it."""
    (name, rate), log, ended, optimizer = row, Log(), None, None
    if args.trace:
        from common.backprop.trace import Trace

        log.watcher = Trace(args, output)
    if args.optimizer:
        from common.comparison.optimizers import OPTIMIZERS

        optimizer = OPTIMIZERS[name](rate)
    Log.current = log
    try:
        recipe.train(seed=args.seed, learning_rate=rate, steps=args.steps, report_every=args.report_every,
                     optimizer=optimizer)
    except BaseException as error:
        ended = error
    try:
        with signals.held():
            Log.current = None
            if log.session:
                log.session.finish()
            if output and len(log):
                output.save(".csv", log.write)
    except signals.Stopped as stopped:
        ended = ended or stopped
    return log, ended
