"""The command line of both recipes: flags, their checks, and one clear sentence for whatever is wrong."""

import argparse
import difflib
import re
import struct
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]


def parse(name, description, argv, *, steps, report_every, learning_rate):
    """Read the command line `argv` (None: the script's) of the recipe `name`, given its text for --help and defaults.

    Returns a namespace with seed, steps, report_every (int), learning_rate (float), output_dir (Path), figure (bool)
    and name. Ends the script with status 2 and one sentence on standard error if an argument is wrong.
    """
    parser = _Parser(
        prog=f"{name}.py",
        description=description,
        allow_abbrev=False,
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=30, width=100),
    )
    add = parser.add_argument
    add("--seed", type=_whole(0), default=8, metavar="N", help="decides every random number (default: 8)")
    add("--steps", type=_whole(1), default=steps, metavar="N", help=f"training steps (default: {steps})")
    add("--report-every", type=_whole(1), default=report_every, metavar="N",
        help=f"steps from one report to the next (default: {report_every})")
    add("--learning-rate", type=_rate, default=learning_rate, metavar="R",
        help=f"how far a step follows the gradient (default: {learning_rate})")
    add("--output-dir", type=Path, default=CHECKOUT / "outputs", metavar="DIR",
        help="where the log and the picture go (default: outputs/ of the checkout)")
    add("--no-figure", action="store_false", dest="figure", help="draw no picture (default: draw it)")

    args, unknown = parser.parse_known_args(argv)
    if unknown:
        parser.error(_unknown(unknown[0], parser._option_string_actions))
    for folder in (args.output_dir, *args.output_dir.parents):
        if folder.exists() and not folder.is_dir():
            parser.error(f"--output-dir must name a folder, but '{folder}' is a file")
    args.name = name
    return args


class _Parser(argparse.ArgumentParser):
    def print_help(self, file=None):
        print(self.format_help(), end="", file=file)  # argparse's own keeps silent about a full standard output

    def error(self, message):
        """Say in one sentence what is wrong, without the usage lines, and exit with status 2."""
        message = re.sub(r"^argument (\S+): ", r"\1 ", message)
        message = message.replace("expected one argument", "needs a value")
        message = re.sub(r"ignored explicit argument .*", "takes no value", message)
        print(f"{self.prog}: {message}; --help lists the flags.", file=sys.stderr)
        raise SystemExit(2)


def _unknown(argument, flags):
    near = difflib.get_close_matches(argument.split("=")[0], flags, n=1)
    return f"unknown argument '{argument}'" + (f" (did you mean {near[0]}?)" if near else "")


def _whole(least):
    def number(text):
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or value < least:
            raise argparse.ArgumentTypeError(f"must be a whole number of at least {least}, not '{text}'")
        return value

    return number


def _rate(text):
    try:
        value = float(text)
        as_float32 = struct.unpack("f", struct.pack("f", value))[0]  # what the graph computes with
    except (ValueError, OverflowError):
        as_float32 = 0.0
    if not 0 < as_float32 < float("inf"):  # false for nan too
        raise argparse.ArgumentTypeError(f"must be a positive number that float32 can hold, not '{text}'")
    return value
