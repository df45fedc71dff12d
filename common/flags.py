"""The command line of both recipes: flags, their checks, and one sentence for whatever is wrong."""

import argparse
import contextlib
import inspect
import os
from pathlib import Path

OUTPUTS = Path(__file__).resolve().parents[1] / "outputs"
OPTIMIZERS = ("gradient-descent", "momentum", "nesterov", "adagrad", "adagrad-da", "adadelta", "adam", "rmsprop",
              "ftrl", "proximal-gradient-descent", "proximal-adagrad")  # the first is the scripts' own


def parse(recipe, words):
    """Read the words of a recipe's command line; ends the script with status 2 and a sentence if one is wrong.

    Returns a namespace of the flags, with `rows`, a list of pairs (optimizer, learning rate), for the optimizers and
    rates, and `words` as text.
    """
    words = [str(word) for word in words]
    parser = Parser(prog=recipe.path.name, allow_abbrev=False, epilog=f"The optimizers: {', '.join(OPTIMIZERS)}.")
    parameters = inspect.signature(recipe.train).parameters  # whose defaults are the page's own numbers
    default = {name: str(each.default) for name, each in parameters.items()}  # as text, which argparse checks
    add = parser.add_argument
    add("--seed", metavar="N", type=whole(0, 2**32 - 1), default=default["seed"],
        help="decides every random number (%(default)s)")
    add("--steps", metavar="N", type=whole(1), default=default["steps"], help="training steps (%(default)s)")
    add("--report-every", metavar="N", type=whole(1), default=default["report_every"],
        help="steps from one report to the next (%(default)s)")
    add("--optimizer", choices=(*OPTIMIZERS, "all"), nargs="+", metavar="NAME",
        help="one of tf.train's, several to compare, or all")
    add("--learning-rate", type=number(float, 1.2e-38, 3.4e38, "a positive number that float32 can hold"),
        nargs="+", metavar="R",
        help=f"one, or several to compare ({default['learning_rate']}; each optimizer has its own)")
    add("--runs", metavar="N", type=whole(1), default=1, help="runs of each optimizer and rate (%(default)s)")
    add("--trace", action="store_true", help="show step 1 and each report's node by node")
    add("--trace-step", metavar="N", type=whole(1), help="with --trace: the step that is shown too, and drawn (1)")
    add("--animate", action="store_true", help="make a moving picture of the run too")
    add("--tensorboard", type=folder, metavar="DIR", help="write every step for TensorBoard to DIR")
    add("--output-dir", type=folder, default=OUTPUTS, metavar="DIR",
        help="where the files go (outputs/ of the checkout)")
    add("--no-figure", dest="figure", action="store_false", help="draw no picture")
    args = parser.parse_args(words)
    args.words = words
    args.rows = rows(recipe, args, float(default["learning_rate"]))
    check(recipe, args, parser.error)
    args.trace_step = args.trace_step or 1
    return args


def rows(recipe, args, own_rate):
    """Each pair of an optimizer and a learning rate that the flags ask for, once; `own_rate` is the script's."""
    names, rates = args.optimizer or OPTIMIZERS[:1], {OPTIMIZERS[0]: own_rate}
    if args.optimizer:
        from common.comparison import optimizers

        names = OPTIMIZERS if "all" in names else names
        kind = "regression" if recipe.threshold is None else "classification"  # of a learner's copy too
        rates = optimizers.rates(kind, own_rate)
    return list(dict.fromkeys((name, rate) for name in names for rate in args.learning_rate or [rates[name]]))


def check(recipe, args, wrong):
    """Call `wrong` with a sentence where flags do not go together, or samples cannot be drawn once more."""
    for flag in ("trace", "animate", "tensorboard"):
        if len(args.rows) * args.runs > 1 and getattr(args, flag):
            wrong(f"--{flag} looks into one run: leave out --runs and give one optimizer and one learning rate")
    if args.animate and not args.figure:
        wrong("--animate makes a picture and --no-figure makes none: leave one of them out")
    if args.trace_step and not args.trace:
        wrong("--trace-step goes with --trace")
    if (args.trace_step or 1) > args.steps:
        wrong(f"--trace-step must be one of the {args.steps} steps, not {args.trace_step}")
    try:
        inspect.signature(recipe.draw_samples).bind()
    except TypeError:
        wrong("draw_samples() is called without arguments too: give each of them a default")


class Parser(argparse.ArgumentParser):
    """One that says in one sentence what is wrong, without the usage lines."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {message}; --help lists the flags.\n")


def number(kind, least, most, name):
    """The type of a flag: a number in these limits, which has a name."""
    def read(text):
        with contextlib.suppress(ValueError):
            if least <= kind(text) <= most:
                return kind(text)
        raise argparse.ArgumentTypeError(f"must be {name}, not '{text}'")

    return read


def whole(least, most=100_000_000):
    """The type of a flag: a whole number in these limits."""
    return number(int, least, most, f"a whole number from {least} to {most:,}")


def folder(text):
    """The type of a folder's path."""
    if not text:
        raise argparse.ArgumentTypeError("must name a folder, not ''")
    return Path(os.path.expanduser(text))  # the shell leaves the ~ of --output-dir=~/here as it is
