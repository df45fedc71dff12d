"""Break the project on purpose, one way after the other, and see that the tests notice.

    python tests/mutations.py [WORD ...]

Each mutation replaces a text in a copy of the checkout; the tests named beside it must then fail. Prints a table, for
the mutations whose name has one of the WORDs (default: all), and exits with 1 if one is not noticed or no longer
applies. It takes about a quarter of an hour.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

CHECKOUT = Path(__file__).resolve().parents[1]


class Mutation(NamedTuple):
    """What breaks: the file, the text and what takes its place, and the tests that must fail, as pytest takes them."""

    name: str
    file: str
    text: str
    broken: str
    tests: str  # files, and after a blank `-k` words


PICTURES = "test_picture_of_a_run.py test_picture_of_a_comparison.py test_picture_of_a_graph.py"
MUTATIONS = [Mutation(*fields) for fields in (
    # the recipes and the page
    ("the samples have another spread", "../recipes/regression.py", "normal(1, 0.1, 100)", "normal(1, 0.11, 100)",
     "test_golden.py test_page.py"),
    ("A starts from a seed that nobody gave", "../recipes/classification.py", "shape=[1], seed=seed)", "shape=[1])",
     "test_golden.py"),
    ("logits and labels are exchanged", "../recipes/classification.py",
     "logits=my_output_expanded, labels=y_target_expanded", "logits=y_target_expanded, labels=my_output_expanded",
     "test_golden.py"),
    ("another default seed", "../recipes/regression.py", "seed=605", "seed=8", "test_golden.py"),
    ("a statement of ours in the loop", "../recipes/regression.py",
     "        rand_y = [y_vals[rand_index]]\n", "        rand_y = [y_vals[rand_index]]\n        last = i\n",
     "test_page.py"),
    # the log
    ("the loss is logged before the step", "session.py", "with tf.control_dependencies(steps):",
     "with tf.control_dependencies([]):", "test_log.py test_golden.py"),
    ("steps that wait are lost when a session closes", "session.py", "        self.finish()\n        super().close()",
     "        super().close()", "test_session.py"),
    ("a list of fetches is no step", "session.py", "tuple(tf.nest.flatten(fetches, expand_composites=True))", "None",
     "test_session.py test_changed_lines.py"),
    ("copies stand for any graph", "session.py", " or not structure.is_plain(self.parts.loss)", "",
     "test_changed_lines.py"),
    ("a second session's steps are nobody's", "session.py",
     'log.unknown = "two sessions were trained, and the log has the steps of both"', "pass", "test_session.py"),
    ("A may change behind the log's back", "session.py",
     'self._log.unknown = "A was also changed by an execution that did not feed x and y"', "pass", "test_session.py"),
    ("the log's numbers have 6 digits", "log.py", "(step, *row) for", "(step, *(f'{n:.6g}' for n in row)) for",
     "test_log.py test_golden.py"),
    ("SIGTERM is not heard", "signals.py", '("SIGINT", "SIGTERM", "SIGHUP")', '("SIGINT", "SIGHUP")', "test_signals.py"),  # noqa: E501
    ("a signal cuts the log short", "signals.py", "    if not _held:\n", "    if True:\n", "test_signals.py"),
    # the graph and its model
    ("all graphs are taken for element-wise", "graph/copies.py",
     "unknown |= op.type not in FORMS or not sizes <= {None, 1}", "pass", "test_comparison.py"),
    ("the model is single precision", "graph/model.py", "copies.copy([tensor], places, True,",
     "copies.copy([tensor], places, False,", "test_changed_lines.py"),
    ("other samples are not noticed", "graph/model.py", "if not np.isin(fed, drawn).all():", "if False:",
     "test_changed_lines.py"),
    ("a part of the samples is taken for all", "graph/model.py", "** len(places) < 1e-6:", "** len(places) < 0:",
     "test_changed_lines.py"),
    ("a flat loss has a least value", "graph/model.py", "8 * np.finfo(float).eps * abs(least) else None",
     "-np.inf else best", "test_changed_lines.py"),
    ("an execution that feeds no sample is a step", "session.py",
     "if not feed_dict or any(each not in feed_dict and each.name not in feed_dict for each in self.parts[:2]):",
     "if not feed_dict:", "test_session.py"),
    ("a loss that draws is executed twice", "session.py", "if again := structure.not_repeatable(self.parts.loss):",
     "if again := None:", "test_changed_lines.py"),
    ("another loss than the minimized one is logged", "graph/structure.py",
     "for op in onward - {loss.op}:", "for op in ():", "test_changed_lines.py"),
    ("other variables go unnoticed", "graph/model.py", "if others:", "if False:", "test_changed_lines.py"),
    ("far means 1,000", "report.py", "FAR, NEAR = 100, 0.5", "FAR, NEAR = 1000, 0.5",
     "test_faults.py test_comparison.py"),
    ("a target is believed whatever the data", "report.py", "abs(model.best - target) <= NEAR", "True",
     "test_changed_lines.py"),
    ("flags without effect are not told", "report.py", "if args.optimizer and optimizer != row[0]:",
     "if False:", "test_changed_lines.py"),
    ("the record names another script", "output.py", "str(shown(self.recipe.path))", "'recipes/regression.py'",
     "test_log.py"),
    # back propagation
    ("a subtraction passes on what an addition does", "backprop/nodes.py", '("{g}", "-{g}")', '("{g}", "{g}")',
     "test_backprop.py"),
    ("Select passes the gradient to the other branch", "backprop/nodes.py", "== (index == 1)", "!= (index == 1)",
     "test_backprop.py"),
    ("the finite difference is single precision", "backprop/nodes.py", "copies.copy(tensors, places, double=True)",
     "copies.copy(tensors, places)", "test_backprop.py"),
    ("a finite difference is shown however it was rounded", "backprop/nodes.py",
     "if rounding <= (1e-4 * abs(found) or 1e-9)", "if True", "test_backprop.py"),
    ("random operations are executed again", "backprop/nodes.py", "op.op_def.is_stateful or not", "not",
     "test_backprop.py"),
    ("a change before the read is not noticed", "backprop/nodes.py",
     "and variables & {each.op for each in op.inputs}", "and False", "test_backprop.py"),
    ("two nodes have one name", "backprop/nodes.py", "shared[name] > 1", "False", "test_backprop.py"),
    ("any update is described by its optimizer's formula", "backprop/update.py", "abs(now - result) <= near", "True",
     "test_backprop.py"),
    ("a result has digits in which the calculation differs", "backprop/update.py", "range(7, 0, -1)", "range(9, 8, -1)",
     "test_backprop.py"),
    ("the traced step's picture is that of the first", "backprop/trace.py", "if step == self._args.trace_step:",
     "if not self.nodes:", "test_backprop.py"),
    ("TensorBoard's gradients are those after the step", "backprop/tensorboard.py", "log.A[:-1]", "log.A[1:]",
     "test_backprop.py"),
    ("a broken file for TensorBoard stays", "backprop/tensorboard.py", "if path not in output.files:", "if False:",
     "test_backprop.py"),
    # many runs
    ("a comparison ignores --seed", "comparison/draws.py", "default_rng([self._args.seed, chunk])",
     "default_rng([18, chunk])", "test_comparison.py"),
    ("the next chunk starts where the last one ended", "comparison/training_loop.py",
     "{place: start[op] for op, place in self._starts.items()})",
     "{place: start[op] for op, place in self._starts.items()}) if not hasattr(self, '_state_was') else None\n"
     "        self._state_was = True", "test_comparison.py"),
    ("arrival is one step late", "comparison/training_loop.py", "tf.cast(i + 1, tf.float64)",
     "tf.cast(i + 2, tf.float64)", "test_comparison.py"),
    ("XLA is never chosen", "comparison/runs.py", "args.runs * args.steps > XLA_FROM", "False", "test_comparison.py"),
    ("run 1 is not compared with the script's", "comparison/runs.py", "not off <= GROWTH", "not 0 * off <= GROWTH",
     "test_comparison.py"),
    ("other ways of sampling are not noticed", "comparison/draws.py",
     "if not np.array_equal(drawn[self._indices].astype(fed.dtype), fed):", "if False:", "test_comparison.py"),
    ("the table's file has 12 digits", "comparison/table.py", "*(row.values() for row in result.rows)",
     "*([f'{v:.12g}' if isinstance(v, float) else v for v in row.values()] for row in result.rows)",
     "test_comparison.py"),
    ("percentiles 25, 40, 75 in the table", "comparison/figures.py", "np.percentile(A, (5, 50, 95))",
     "np.percentile(A, (25, 40, 75))", "test_comparison.py"),
    ("percentiles 25, 40, 75 in the curves", "comparison/table.py", "np.percentile(A, (5, 50, 95), axis=1)",
     "np.percentile(A, (25, 40, 75), axis=1)", "test_comparison.py"),
    ("runs that diverged count", "comparison/figures.py", "kept, (optimizer, rate) = ~lost,",
     "kept, (optimizer, rate) = np.ones_like(lost),", "test_comparison.py"),
    ("the progress bar does not advance", "comparison/table.py", "output, bar.update)",
     "output, lambda count: None)", "test_comparison.py"),
    ("a default rate is ten times as large", "comparison/optimizers.py", '"regression": (0.02, 0.005,',
     '"regression": (0.02, 0.05,', "test_statements.py test_documents.py"),
    # pictures
    ("the user's matplotlib settings are kept", "pictures/style.py",
     "{**matplotlib.rcParamsDefault, **LOOK,", "{**LOOK,", PICTURES),
    ("a failed picture costs the record", "output.py", "if isinstance(drawn, str):", "if False:", "test_artist.py"),
    ("Ctrl-C reaches the process that draws", "pictures/artist.py", "start_new_session=True,", "",
     "test_artist.py test_surroundings.py"),
    ("A is drawn negated", "pictures/run.py", "path = np.clip(n.A[", "path = np.clip(-n.A[", PICTURES),
    ("the target's line stands at 0", "pictures/run.py", "mark(n.target, ", "mark(0, ", PICTURES),
    ("the least loss stands at the target", "pictures/run.py", "mark(n.best, ", "mark(n.target, ", PICTURES),
    ("before and after are exchanged", "pictures/numbers.py", "for A in log.A[[0, -1]]", "for A in log.A[[-1, 0]]",
     PICTURES),
    ("a title leaves out that a run diverged", "pictures/numbers.py", "    if early:\n", "    if False:\n", PICTURES),
    ("a frame shows the step before", "pictures/animation.py", "x, y = n.A[index],", "x, y = n.A[index - 1],",
     PICTURES),
    ("the target's line of a comparison stands at 0", "pictures/comparison.py", "axes.axhline(n.target, ",
     "axes.axhline(0, ", PICTURES),
    ("low and median are exchanged", "pictures/comparison.py", "low, middle, high = np.clip(",
     "middle, low, high = np.clip(", PICTURES),
    ("lines are named in the order of the flags", "pictures/comparison.py", "key=lambda line: -line.A[1, -1]",
     "key=lambda line: 0", PICTURES),
    ("who is last arrives first", "pictures/comparison.py", "for pick in (min, max))", "for pick in (max, min))",
     PICTURES),
    ("the stable rate is drawn at twice its place", "pictures/sweep.py", "np.clip(n.stable or",
     "np.clip(2 * n.stable or", PICTURES),
    ("all that crosses leaps across", "pictures/sweep.py", "> 0.5 * np.sum(away", "> 0 * np.sum(away", PICTURES),
    ("values are called gradients", "pictures/graph.py", "f\"value {number(node['value'])}\"",
     "f\"gradient {number(node['value'])}\"", PICTURES),
    ("values stand where gradients should", "pictures/graph.py", "f\"gradient {number(node['gradient'])}\"",
     "f\"gradient {number(node['value'])}\"", PICTURES),
    ("the arrows are reversed", "pictures/graph.py", '"arrowstyle": "-|>"', '"arrowstyle": "<|-"', PICTURES),
    # documents
    ("another number of true claims", "../README.md", "23 are true", "22 are true", "test_claims.py"),
    ("another default seed in the README", "../README.md", "every random number | 605 |", "every random number | 8 |",
     "test_documents.py"),
    ("a flag by another name", "../README.md", "`--report-every N`", "`--report N`", "test_documents.py"),
    ("another factor between the rates", "../README.md", "a factor of 20,000", "a factor of 2,000",
     "test_statements.py"),
    ("an anchor that leads nowhere", "../README.md", "MENDING.md#when-the-set-up-fails", "MENDING.md#when-it-fails",
     "test_documents.py"),
    ("a limit of 1.953", "../recipes/README.md", "\\frac{1.01}{1.0603} = 0.953", "\\frac{1.01}{1.0603} = 1.953",
     "test_statements.py"),
    # files, streams and flags
    ("files are written in place", "output.py", "open(whole, \"x\",", "open(path, \"w\",",
     "test_files.py"),
    ("Wrote lines are absolute", "output.py", 'f"Wrote {shown(path)}"', 'f"Wrote {path.resolve()}"',
     "test_files.py test_surroundings.py test_documents.py"),
    ("a full standard output costs the files", "output.py", "            self.lost(error)\n", "            raise\n",
     "test_streams.py"),
    ("defaults of train are not checked", "flags.py", "{name: str(each.default) for", "{name: each.default for", "test_changed_lines.py"),  # noqa: E501
    ("a rate of 0 is taken", "flags.py", "number(float, 1.2e-38,", "number(float, -1,", "test_flags.py"),
    # TensorFlow's loading
    ("Keras 3 is loaded", "tf1.py", 'wanted or "1"', 'wanted or "0"', "test_surroundings.py"),
    ("a session has TensorFlow's own threads", "session.py", "config or tf.threads(-1)", "config",
     "test_session.py test_surroundings.py"),
    ("versions are compared as text", "tf1.py", 'tuple(map(int, tensorflow.__version__.split(".")[:2])) < (2, 12)',
     'tensorflow.__version__ < "2.12"', "test_surroundings.py"),
)]


def noticed(mutation, folder):
    """What became of a mutation in the copy: noticed, NOT NOTICED or NO LONGER APPLIES."""
    path = folder / "common" / mutation.file
    whole = path.read_text(encoding="utf-8")
    if mutation.text not in whole:
        return "NO LONGER APPLIES"
    path.write_text(whole.replace(mutation.text, mutation.broken), encoding="utf-8")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-n", "0", "-p", "no:cacheprovider",
             *(f"tests/{name}" for name in mutation.tests.split())],
            cwd=folder, capture_output=True, text=True, encoding="utf-8", timeout=120)
    except subprocess.TimeoutExpired:
        return "noticed: the tests wait for ever"
    finally:
        path.write_text(whole, encoding="utf-8")
    if done.returncode < 0:
        return f"noticed: the signal {-done.returncode} ends the tests themselves"
    if done.returncode == 1:
        failed = [line.split("::")[1].split(" ")[0] for line in done.stdout.splitlines()
                  if line.startswith(("FAILED", "ERROR")) and "::" in line]
        return f"noticed by {' '.join(failed)}"
    return "NOT NOTICED" if done.returncode == 0 else f"NOT NOTICED: pytest ended with {done.returncode}"


def main(words):
    chosen = [each for each in MUTATIONS if not words or any(word in each.name for word in words)]
    print("| mutation | |\n| --- | --- |")
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        unneeded = shutil.ignore_patterns(".git", ".venv*", "__pycache__")
        shutil.copytree(CHECKOUT, folder, ignore=unneeded, dirs_exist_ok=True)
        for mutation in chosen:
            result = noticed(mutation, Path(folder))
            missed += not result.startswith("noticed")
            print(f"| {mutation.name} | {result} |", flush=True)
    print(f"{len(chosen) - missed} of {len(chosen)} noticed")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
