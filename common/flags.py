"""The command line of both recipes: flags, their checks, and one sentence for whatever is wrong."""

import argparse
import difflib
import os
import re
import sys
from pathlib import Path

OUTPUTS = Path(__file__).resolve().parents[1] / "outputs"
MOST, MOST_ROWS = 100_000_000, 200  # of steps and of runs; of optimizers and rates compared
OPTIMIZERS = ("gradient-descent", "momentum", "nesterov", "adagrad", "adagrad-da", "adadelta", "adam", "rmsprop",
              "ftrl", "proximal-gradient-descent", "proximal-adagrad")  # the first is the scripts' own


def parse(recipe, words):
    """Read the words of a recipe's command line; ends the script with status 2 and a sentence if one is wrong.

    Returns a namespace of the flags, with `rows`, a list of pairs (optimizer, learning rate), for the optimizers and
    rates; `words` as text; and `own_optimizer` and `own_rate`, whether no flag names another than the script's.
    """
    words = [str(word) for word in words]
    parser = _Parser(prog=f"{recipe.name}.py", allow_abbrev=False, epilog=f"The optimizers: {', '.join(OPTIMIZERS)}.")
    parser._negative_number_matcher = re.compile(r"-(\d|\.\d|inf|nan)", re.IGNORECASE)  # these are no flags
    default = {name: str(value) for name, value in recipe.defaults.items()}  # as text, which argparse checks
    add = parser.add_argument
    add("--seed", metavar="N", type=_whole(0, 2**32 - 1), default=default["seed"],
        help="decides every random number (%(default)s)")
    add("--steps", metavar="N", type=_whole(1), default=default["steps"], help="training steps (%(default)s)")
    add("--report-every", metavar="N", type=_whole(1), default=default["report_every"],
        help="steps from one report to the next (%(default)s)")
    add("--optimizer", type=_optimizer, nargs="+", metavar="NAME", help="one of tf.train's, several to compare, or all")
    add("--learning-rate", type=_rate, nargs="+", metavar="R",
        help=f"one, or several to compare ({default['learning_rate']}; each optimizer has its own)")
    add("--runs", metavar="N", type=_whole(1), default=1, help="runs of each optimizer and rate (%(default)s)")
    add("--trace", action="store_true", help="show step 1 and each report's node by node")
    add("--trace-step", metavar="N", type=_whole(1), help="with --trace: the step that is shown too, and drawn (1)")
    add("--animate", action="store_true", help="make a moving picture of the run too")
    add("--tensorboard", type=_folder, metavar="DIR", help="write every step for TensorBoard to DIR")
    add("--output-dir", type=_folder, default=OUTPUTS, metavar="DIR",
        help="where the files go (outputs/ of the checkout)")
    add("--no-figure", dest="figure", action="store_false", help="draw no picture")
    args, unknown = parser.parse_known_args(words)
    if unknown:
        near = difflib.get_close_matches(unknown[0].split("=")[0], parser._option_string_actions, n=1)
        parser.error(f"unknown argument '{unknown[0]}'" + (f" (did you mean {near[0]}?)" if near else ""))
    args.words, args.own_optimizer, args.own_rate = words, not args.optimizer, not args.learning_rate
    args.rows = _rows(recipe.name, args, default["learning_rate"])
    for flag in ("trace", "animate", "tensorboard"):
        if len(args.rows) * args.runs > 1 and getattr(args, flag):
            parser.error(f"--{flag} looks into one run: leave out --runs and give one optimizer and one learning rate")
    if len(args.rows) > MOST_ROWS:
        parser.error(f"{len(args.rows)} pairs of optimizer and learning rate are too many: {MOST_ROWS} is the most")
    if args.animate and not args.figure:
        parser.error("--animate makes a picture and --no-figure makes none: leave one of them out")
    if args.trace_step and not args.trace:
        parser.error("--trace-step goes with --trace")
    if (args.trace_step or 1) > args.steps:
        parser.error(f"--trace-step must be one of the {args.steps} steps, not {args.trace_step}")
    args.trace_step = args.trace_step or 1
    return args


def _rows(name, args, own_rate):
    """Each pair of an optimizer and a learning rate that the flags ask for, once."""
    names, rates = args.optimizer or OPTIMIZERS[:1], {OPTIMIZERS[0]: float(own_rate)}
    names = OPTIMIZERS if "all" in names else names
    if not set(names) <= set(rates):
        from common.comparison import optimizers

        rates = optimizers.rates(name, float(own_rate))
    return list(dict.fromkeys((each, rate) for each in names for rate in args.learning_rate or [rates[each]]))


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        """Say in one sentence what is wrong, without the usage lines, and exit with status 2."""
        message = re.sub(r"^argument (\S+): ", r"\1 ", message)
        message = re.sub(r"expected (one|at least one) argument", "needs a value", message)
        message = re.sub(r"ignored explicit argument .*", "takes no value", message)
        if sys.stderr:
            print(f"{self.prog}: {message}; --help lists the flags.", file=sys.stderr)
        raise SystemExit(2)


def _whole(least, most=MOST):
    def number(text):
        if not re.fullmatch(r"[0-9]{1,20}", text) or not least <= int(text) <= most:
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


def _optimizer(text):
    if text not in (*OPTIMIZERS, "all"):
        raise argparse.ArgumentTypeError(f"knows no '{text}', only {', '.join(OPTIMIZERS)} and all")
    return text


def _folder(text):
    if not text:
        raise argparse.ArgumentTypeError("must name a folder, not ''")
    return Path(os.path.expanduser(text))  # which leaves the name of a user who does not exist as it is
