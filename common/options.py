"""The command line of both recipes: flags, their checks, and one clear sentence for whatever is wrong."""

import argparse
import contextlib
import difflib
import os
import re
from pathlib import Path

import numpy as np

from common.ending import surroundings

CHECKOUT = Path(__file__).resolve().parents[1]
MOST = 100_000_000  # steps, and runs
MOST_ROWS = 200


def parse(name, description, argv, *, learning_rate, steps, report_every, rates):
    """Read the command line `argv`, a list of words or numbers, of the recipe `name`.

    `learning_rate`, `steps` and `report_every` are the script's own; `rates` maps the name of each optimizer to its
    default learning rate, the script's first. Returns a namespace with name; seed, steps, report_every, runs,
    trace_step (int); output_dir, tensorboard (Path, the latter or None); figure, trace, animate (bool); words, the
    command line; and rows, a list of pairs (optimizer, learning_rate). optimizer and learning_rate are the first pair,
    own tells whether that is the optimizer that the script itself declares, and comparison whether there is more than
    one run. Ends the script with status 2 and one sentence on standard error if an argument is wrong.
    """
    page = next(iter(rates))
    rates = {**rates, page: learning_rate}
    parser = _Parser(
        prog=f"{name}.py",
        description=description,
        epilog=f"Several optimizers, rates or runs are compared. The optimizers: {', '.join(rates)}.",
        allow_abbrev=False,
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=31, width=100),
    )
    # What argparse takes for a number, not a flag, though it begins with a hyphen.
    parser._negative_number_matcher = re.compile(r"-(\d|\.\d|inf|nan)", re.IGNORECASE)
    add = parser.add_argument
    add("--seed", type=_whole(0), default=18, metavar="N", help="decides every random number (default: 18)")
    add("--steps", type=_whole(1, MOST), default=steps, metavar="N",
        help=f"training steps, at most {MOST:,} (default: {steps})")
    add("--report-every", type=_whole(1), default=report_every, metavar="N",
        help=f"steps from one report to the next (default: {report_every})")
    add("--optimizer", type=_one_of([*rates, "all"]), nargs="+", metavar="NAME",
        help=f"one of those below, several, or all (default: {page})")
    add("--learning-rate", type=_rate, nargs="+", metavar="R",
        help=f"one, or several (default: {learning_rate}; each optimizer has its own)")
    add("--runs", type=_whole(1, MOST), default=1, metavar="N",
        help="independent runs of each optimizer and rate (default: 1)")
    add("--trace", action="store_true", help="show step 1 and each report's node by node (default: do not)")
    add("--trace-step", type=_whole(1), metavar="N", help="the step that --trace draws as a graph (default: 1)")
    add("--animate", action="store_true", help="make a moving picture of the run too (default: do not)")
    add("--tensorboard", type=_folder, metavar="DIR", help="write every step for TensorBoard to DIR (default: do not)")
    add("--output-dir", type=_folder, default=CHECKOUT / "outputs", metavar="DIR",
        help="where the log and the pictures go (default: outputs/ of the checkout)")
    add("--no-figure", action="store_false", dest="figure", help="draw no picture (default: draw it)")

    argv = [str(word) for word in argv]
    args, unknown = parser.parse_known_args(argv)
    flags = [word.split("=")[0] for word in argv if word.startswith("--")]
    for flag in flags:
        if flags.count(flag) > 1 and flag in parser._option_string_actions:
            parser.error(f"{flag} is given {flags.count(flag)} times: give it once")
    if unknown:
        parser.error(f"unknown argument '{unknown[0]}'" + _nearest(unknown[0], parser._option_string_actions))
    for flag, place in (("--output-dir", args.output_dir), ("--tensorboard", args.tensorboard)):
        for folder in (place, *place.parents) if place else ():
            if os.path.exists(folder) and not os.path.isdir(folder):
                parser.error(f"{flag} must name a folder, but '{folder}' is a file")

    args.own = args.optimizer is None
    optimizers = [page] if args.own else rates if "all" in args.optimizer else args.optimizer
    args.rows = list(dict.fromkeys(  # each pair once
        (optimizer, rate) for optimizer in optimizers for rate in args.learning_rate or [rates[optimizer]]))
    if len(args.rows) > MOST_ROWS:
        parser.error(f"{len(args.rows)} pairs of optimizer and learning rate are too many: {MOST_ROWS} is the most")
    args.name, args.words = name, argv
    args.comparison = len(args.rows) > 1 or args.runs > 1
    args.optimizer, args.learning_rate = args.rows[0]
    for flag, given in (("--trace", args.trace), ("--tensorboard", args.tensorboard), ("--animate", args.animate)):
        if args.comparison and given:
            parser.error(f"{flag} looks into one run: leave out --runs and give one optimizer and one learning rate")
    if args.animate and not args.figure:
        parser.error("--animate makes a picture and --no-figure makes none: leave one of them out")
    if args.trace_step and not args.trace:
        parser.error("--trace-step goes with --trace")
    if (args.trace_step or 1) > args.steps:
        parser.error(f"--trace-step must be one of the {args.steps} steps, not {args.trace_step}")
    args.trace_step = args.trace_step or 1
    return args


class _Parser(argparse.ArgumentParser):
    def print_help(self, file=None):
        try:
            print(self.format_help(), end="", flush=True)  # argparse's own keeps silent about a full standard output
        except OSError as error:
            raise SystemExit(surroundings.output_failed(error)) from None

    def error(self, message):
        """Say in one sentence what is wrong, without the usage lines, and exit with status 2."""
        message = re.sub(r"^argument (\S+): ", r"\1 ", message)
        message = re.sub(r"expected (one|at least one) argument", "needs a value", message)
        message = re.sub(r"ignored explicit argument .*", "takes no value", message)
        surroundings.say(f"{self.prog}: {message}; --help lists the flags.")
        raise SystemExit(2)


def _nearest(word, words):
    near = difflib.get_close_matches(word.split("=")[0], words, n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def _one_of(names):
    def name(text):
        if text not in names:
            raise argparse.ArgumentTypeError(f"knows no '{text}'{_nearest(text, names)}, only {', '.join(names)}")
        return text

    return name


def _whole(least, most=None):
    def number(text):
        value = int(text) if re.fullmatch(r"\s*[+-]?[0-9]{1,4000}\s*", text) else None
        if value is None or value < least or (most and value > most):
            between = f"from {least} to {most:,}" if most else f"of at least {least}"
            raise argparse.ArgumentTypeError(f"must be a whole number {between}, not '{text}'")
        return value

    return number


def _rate(text):
    with contextlib.suppress(ValueError), np.errstate(over="ignore"):
        value = float(text.replace("_", "?"))  # Python's 1_0 is nobody's ten
        if 0 < np.float32(value) < np.inf:  # what the graph computes with
            return value
    raise argparse.ArgumentTypeError(f"must be a positive number that float32 can hold, not '{text}'")


def _folder(text):
    if not text:
        raise argparse.ArgumentTypeError("must name a folder, not nothing")
    return Path(text)
