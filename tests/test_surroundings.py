"""A script is at home wherever Python runs, and leaves everything as it was."""

import contextlib
import gc
import os
import pdb
import re
import shutil
import signal
import sys
import threading
import warnings
from types import ModuleType, SimpleNamespace

import pytest
import regression
from conftest import CHECKOUT, FILES, WHOLE, command, end, names, once, start, train, wrote

from common import output
from common import tf1 as tf

SCRIPT = CHECKOUT / "recipes" / "regression.py"


def python(*words, **options):
    return end(start([sys.executable, *words], **options))


def test_under_python_i_ctrl_c_ends_the_run_with_its_picture_and_leaves_all_alive_as_often_as_one_likes(tmp_path):
    (tmp_path / "typed").write_text(f"""
import cProfile, gc, runpy, sys
print("swept", gc.get_stats()[0]["collections"] < 300)
folder = {str(tmp_path)!r}
print("Keras 3 is loaded:", getattr(sys.modules.get("keras"), "__version__", "").startswith("3"))
print("ended", run.status, len(run.A) - len(run.x), run.x.shape == run.y.shape == run.loss.shape)
print("reported", run.A[100:101])
print("files", [str(path) for path in run.files])
run = main(["--no-figure", "--output-dir", folder])
print("session", run.session.run(run.session.parts.A))
sys.argv = ["regression.py", "--no-figure", "--steps", "4", "--learning-rate", "5", "--output-dir", folder]
for steps in 1, 5, 10: last = main(["--no-figure", "--steps", steps, "--output-dir", folder])

print(last)
cProfile.run("print('profiled', len(main(sys.argv[1:])))", sort="tottime")
print("module", runpy.run_path({str(SCRIPT)!r})["main"].path.stem)
print("script", runpy.run_path({str(SCRIPT)!r}, run_name="__main__")["run"])
""", encoding="utf-8")
    flags = ["--steps", 10**8, "--report-every", 50, "--output-dir", tmp_path]
    with open(tmp_path / "typed", encoding="utf-8") as keyboard:
        started = start([sys.executable, "-i", *command("regression", *flags)[1:]], stdin=keyboard,
                        start_new_session=True)
    printed = [started.stdout.readline() for _ in range(4)]
    os.killpg(started.pid, signal.SIGINT)  # as a terminal does: also to the process that draws, were it in the group
    script = end(started)
    assert script.returncode == 0
    assert "Traceback" not in script.stderr
    assert re.match(r"regression\.py: stopped by SIGINT after step \d+\.\n", script.stderr)
    said = script.stdout.splitlines()
    assert f"reported {printed[2].partition(' A = ')[2].strip()}" in said
    assert "swept True" in said  # seldom, since the collector sleeps while TensorFlow loads
    assert "Keras 3 is loaded: False" in said  # which would take a quarter of the loading time
    assert "ended 130 1 True" in said
    assert f"files {[f'{tmp_path}/{name}' for name in WHOLE]}" in said
    assert "session [9.859494]" in said
    assert any(line.startswith("<10 steps: x, y, A, loss; the last A is ") for line in said)
    assert "profiled 4" in said
    assert any("function calls" in line for line in said)
    assert "module regression" in said
    assert any(line.startswith("script <4 steps: ") for line in said)


def test_under_pdb_the_script_ends_with_its_status_and_the_debugger_goes_on(tmp_path, monkeypatch, capsys):
    flags = ["--learning-rate", "5", "--no-figure", "--output-dir", str(tmp_path)]
    typed = ["-c", "continue", "-c", "p 'alive'", "-c", "quit", "--"]
    monkeypatch.setattr(sys, "argv", ["pdb", *typed, str(SCRIPT), *flags])
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))  # which pdb makes the script's
    pdb.main()
    printed, _ = capsys.readouterr()
    assert "The program exited via sys.exit(). Exit status: 1" in printed
    assert "alive" in printed
    assert wrote(printed) == FILES


def test_the_status_ends_the_program_only_where_nobody_goes_on(tmp_path, monkeypatch):
    flags = ["--learning-rate", 5, "--no-figure", "--output-dir", tmp_path]
    assert regression.main(flags).status == 1  # of a module
    monkeypatch.setattr(regression.train, "__module__", "__main__")
    with pytest.raises(SystemExit) as end:
        regression.main(flags)
    assert end.value.code == 1
    assert regression.main([*flags, "--steps", 1]).status == 0
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    assert regression.main(flags).status == 1


def test_in_a_notebook_the_pictures_appear_below_the_cell_and_elsewhere_they_do_not(tmp_path, monkeypatch):
    shown, notebook = [], SimpleNamespace(kernel=True)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: notebook))
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(
        Image=lambda filename: filename, display=lambda *images: shown.extend(images)))
    made = output.Output(regression.main, SimpleNamespace(output_dir=tmp_path, tensorboard=None, figure=False))
    for kind in ("csv", "png", "gif"):
        made.save(f".{kind}", lambda file: file.write("whole"))
    made.close()
    assert shown == [f"{tmp_path}/regression.{kind}" for kind in ("png", "gif")]
    notebook = SimpleNamespace()  # a terminal's
    made.close()
    notebook = None  # imported, but not running
    made.close()
    assert len(shown) == 2


def as_it_is():
    """What a run must leave as it was."""
    return ([signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)], gc.isenabled(),
            gc.get_threshold(), warnings.filters[:], sys.stdout, sys.stderr, os.getcwd(), threading.active_count(),
            os.environ.get("TF_USE_LEGACY_KERAS"), sorted(os.listdir("/proc/self/fd")))


@pytest.mark.parametrize("flags", [[], ["--steps", 0], ["--learning-rate", 5], ["--output-dir", "/proc/none"]], ids=str)
def test_a_run_leaves_everything_as_it_was_however_it_ends(flags, tmp_path):
    train(tmp_path, "--steps", 1)  # loads TensorFlow, which changes some of it for good
    before = as_it_is()
    with contextlib.suppress(SystemExit):
        train(tmp_path, *flags)
    assert as_it_is() == before


def test_main_works_in_a_thread_and_returns_what_it_returns_elsewhere(tmp_path):
    made, before = [], as_it_is()
    thread = threading.Thread(target=lambda: made.append(train(tmp_path)))
    thread.start()
    thread.join()
    assert as_it_is() == before
    assert (made[0].status, len(made[0]), names(tmp_path)) == (0, 100, FILES)


def test_what_was_written_is_named_as_one_would_type_it_from_here(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    train("out", "--steps", 2)
    train("../elsewhere", "--steps", 2)
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("Wrote")] == [
        "Wrote out/regression.csv", "Wrote out/regression.json", "Wrote ../elsewhere/regression.csv",
        "Wrote ../elsewhere/regression.json"]
    assert names(tmp_path.parent / "elsewhere") == FILES


def test_it_runs_in_an_ascii_locale_and_any_folder_without_a_home_a_display_a_network_or_a_writable_checkout(tmp_path):
    copy = tmp_path / os.fsdecode("Übung für 反向传播".encode())
    for room in ("recipes", "common"):
        shutil.copytree(CHECKOUT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "regression.py").symlink_to(copy / "recipes" / "regression.py")
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\n"
        "def watch(event, args):\n"
        "    if event in ('socket.connect', 'socket.getaddrinfo', 'socket.sendto'): os.mkdir(os.environ['ASKED'])\n"
        "sys.addaudithook(watch)\n", encoding="ascii")
    (copy / "outputs").mkdir()
    before = sorted(copy.rglob("*"))
    closed = [path for path in (copy, *before) if path != copy / "outputs"]
    for path in closed:
        path.chmod(0o555)
    try:
        script = python("-B", "-W", "error", "regression.py", cwd=tmp_path, env={
            **os.environ, **dict.fromkeys(["HOME", "MPLCONFIGDIR", "TMPDIR"], "/proc/none"), "DISPLAY": "",
            "MPLBACKEND": "TkAgg", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0",
            "PYTHONPATH": str(tmp_path), "ASKED": str(tmp_path / "asked")})
    finally:
        for path in closed:
            path.chmod(0o755)
    assert (script.returncode, script.stderr) == (0, "")
    assert names(copy / "outputs") == wrote(script.stdout) == WHOLE
    _, printed, folder = once("regression")
    assert script.stdout.partition("Wrote")[0] == printed.partition("Wrote")[0]
    assert (copy / "outputs/regression.csv").read_bytes() == (folder / "regression.csv").read_bytes()
    content = (copy / "outputs/regression.png").read_bytes()
    assert (content[:8], content[-8:]) == (b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82")
    assert sorted(path for path in copy.rglob("*") if path.parent != copy / "outputs") == before
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize(("version", "accepted"), [
    ("2.9.3", False), ("2.11.1", False), ("2.12.0", True), ("2.100.0", True), ("10.0.0-rc1", True)])
def test_an_old_tensorflow_is_told_by_the_numbers_of_its_version(version, accepted, monkeypatch):
    found = SimpleNamespace(__version__=version, compat=SimpleNamespace(v1=sys.modules["tensorflow"].compat.v1))
    monkeypatch.setitem(sys.modules, "tensorflow", found)
    with contextlib.nullcontext() if accepted else pytest.raises(SystemExit, match=f"TensorFlow {version} is older"):
        tf.load.__wrapped__()


def test_a_session_runs_its_graph_in_the_calling_thread_and_on_the_processor():
    config = tf.Session()._config
    assert (config.inter_op_parallelism_threads, config.intra_op_parallelism_threads) == (-1, 1)
    assert dict(config.device_count) == {"GPU": 0}
    assert tf.Session(config=tf.ConfigProto(inter_op_parallelism_threads=3))._config.inter_op_parallelism_threads == 3
