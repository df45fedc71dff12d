"""The command line of both recipes: flags, their checks, and one sentence for whatever is wrong."""

import argparse
import difflib
import re
import sys
from pathlib import Path

OUTPUTS = Path(__file__).resolve().parents[1] / "outputs"
MOST = 100_000_000  # steps, and runs
MOST_ROWS = 200  # of a table
SINGLE = ("trace", "animate", "tensorboard")  # flags that look into one run


def parse(name, words, defaults, rates):
    """Read the words of a command line; ends the script with status 2 and a sentence if one is wrong.

    defaults  the script's own seed, learning_rate, steps and report_every
    rates     {optimizer: its default learning rate}; the script's own optimizer is the first

    Returns a namespace of the flags, with `rows`, a list of pairs (optimizer, learning rate), for the optimizers and
    rates; `words` as text; `own_optimizer` and `own_rate`, whether no flag names another; and `comparison`, whether
    there is more than one run.
    """
    parser = _Parser(prog=f"{name}.py", allow_abbrev=False,
                     epilog=f"Several optimizers, rates or runs are compared. The optimizers: {', '.join(rates)}.")
    parser._negative_number_matcher = re.compile(r"-(\d|\.\d|inf|nan)", re.IGNORECASE)  # these are no flags
    own, add = next(iter(rates)), parser.add_argument
    add("--seed", type=_whole(0, 2**32 - 1), default=defaults["seed"], metavar="N",
        help="decides every random number (%(default)s)")
    add("--steps", type=_whole(1, MOST), default=defaults["steps"], metavar="N", help="training steps (%(default)s)")
    add("--report-every", type=_whole(1, MOST), default=defaults["report_every"], metavar="N",
        help="steps from one report to the next (%(default)s)")
    add("--optimizer", type=_one_of([*rates, "all"]), nargs="+", metavar="NAME",
        help=f"one of those below, several, or all ({own})")
    add("--learning-rate", type=_rate, nargs="+", metavar="R",
        help=f"one, or several ({defaults['learning_rate']}; each optimizer has its own)")
    add("--runs", type=_whole(1, MOST), default=1, metavar="N", help="runs of each optimizer and rate (%(default)s)")
    add("--trace", action="store_true", help="show step 1 and each report's node by node")
    add("--trace-step", type=_whole(1, MOST), metavar="N", help="with --trace: the step that is shown too, and drawn (1)")
    add("--animate", action="store_true", help="make a moving picture of the run too")
    add("--tensorboard", type=_folder, metavar="DIR", help="write every step for TensorBoard to DIR")
    add("--output-dir", type=_folder, default=OUTPUTS, metavar="DIR", help="where the files go (outputs/ of the checkout)")
    add("--no-figure", dest="figure", action="store_false", help="draw no picture")

    words = [str(word) for word in words]
    args, unknown = parser.parse_known_args(words)
    flags = [word.split("=")[0] for word in words if word.startswith("--")]
    twice = [flag for flag in flags if flags.count(flag) > 1]
    if twice:
        parser.error(f"{twice[0]} is given {flags.count(twice[0])} times: give it once")
    if unknown:
        parser.error(f"unknown argument '{unknown[0]}'{_nearest(unknown[0], parser._option_string_actions)}")
    args.words, args.own_optimizer, args.own_rate = words, not args.optimizer, not args.learning_rate
    names = [own] if args.own_optimizer else rates if "all" in args.optimizer else args.optimizer
    rows = [(each, rate) for each in names for rate in args.learning_rate or [rates[each]]]
    args.rows = list(dict.fromkeys(rows))  # each pair once
    args.comparison = len(args.rows) * args.runs > 1
    _check(args, parser.error)
    args.trace_step = args.trace_step or 1
    return args


def _check(args, error):
    """See that the flags go together."""
    if len(args.rows) > MOST_ROWS:
        error(f"{len(args.rows)} pairs of optimizer and learning rate are too many: {MOST_ROWS} is the most")
    for flag in SINGLE:
        if args.comparison and getattr(args, flag):
            error(f"--{flag} looks into one run: leave out --runs and give one optimizer and one learning rate")
    if args.animate and not args.figure:
        error("--animate makes a picture and --no-figure makes none: leave one of them out")
    if args.trace_step and not args.trace:
        error("--trace-step goes with --trace")
    if (args.trace_step or 1) > args.steps:
        error(f"--trace-step must be one of the {args.steps} steps, not {args.trace_step}")


class _Parser(argparse.ArgumentParser):
    def print_help(self, file=None):
        print(self.format_help(), end="", flush=True)  # argparse's own keeps silent about a full standard output

    def error(self, message):
        """Say in one sentence what is wrong, without the usage lines, and exit with status 2."""
        message = re.sub(r"^argument (\S+): ", r"\1 ", message)
        message = re.sub(r"expected (one|at least one) argument", "needs a value", message)
        message = re.sub(r"ignored explicit argument .*", "takes no value", message)
        if sys.stderr:
            print(f"{self.prog}: {message}; --help lists the flags.", file=sys.stderr)
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


def _whole(least, most):
    def number(text):
        if not re.fullmatch(r"\s*\+?[0-9]{1,20}\s*", text) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"must be a whole number from {least} to {most:,}, not '{text}'")
        return int(text)

    return number


def _rate(text):
    try:
        if "_" not in text and 1.2e-38 < float(text) < 3.4e38:  # what float32 can hold; Python's 1_0 is nobody's ten
            return float(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"must be a positive number that float32 can hold, not '{text}'")


def _folder(text):
    try:
        path = Path(text).expanduser()
        if text and not any(part.exists() and not part.is_dir() for part in (path, *path.parents)):
            return path
    except (OSError, ValueError, RuntimeError):  # such a name cannot be asked for, and cannot be written either
        return Path(text)
    raise argparse.ArgumentTypeError(f"must name a folder, not '{text}'")
