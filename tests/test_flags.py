"""Wrong input is answered in one sentence, at once, and before anything is written."""

import pytest
from conftest import RECIPES, SCRIPTS, names, one_sentence, run

STEPS = "must be a whole number from 1 to 100,000,000, not"
SEED = "must be a whole number from 0 to 4,294,967,295, not"
RATE = "must be a positive number that float32 can hold, not"
WRONG = [
    *((["--steps", value], f"argument --steps: {STEPS} '{value}'")
      for value in ("0", "-3", "2.5", "many", "", "1e3", "100000001", "9" * 5000)),
    *((["--runs", value], f"argument --runs: {STEPS} '{value}'") for value in ("0", "100000001")),
    *((["--report-every", value], f"argument --report-every: {STEPS} '{value}'") for value in ("0", "-1", "0.5", "x")),
    *((["--learning-rate", value], f"argument --learning-rate: {RATE} '{value}'")
      for value in ("0", "-0.1", "-.5", "nan", "inf", "fast", "1e-60", "1e60")),
    (["--learning-rate=-1e-5"], f"argument --learning-rate: {RATE} '-1e-5'"),
    *((["--seed", value], f"argument --seed: {SEED} '{value}'")
      for value in ("-1", "1.5", "x", "4294967296")),
    (["--steps"], "argument --steps: expected one argument"),
    (["--optimizer"], "argument --optimizer: expected at least one argument"),
    (["--optimizer", "adm"], "argument --optimizer: invalid choice: 'adm' (choose from "),
    (["--steps", "--no-figure"], "argument --steps: expected one argument"),
    (["--no-figure=yes"], "argument --no-figure: ignored explicit argument 'yes'"),
    (["--sed", "3"], "unrecognized arguments: --sed 3"),
    (["--step", "3"], "unrecognized arguments: --step 3"),
    (["surplus"], "unrecognized arguments: surplus"),
    (["b\udcff"], "unrecognized arguments"),  # what a name that is not UTF-8 comes as
    (["--tensorboard", ""], "argument --tensorboard: must name a folder, not ''"),
    (["--output-dir", ""], "argument --output-dir: must name a folder, not ''"),
    (["--animate", "--no-figure"], "--animate makes a picture and --no-figure makes none: leave one of them out"),
    (["--trace", "--runs", "2"], "--trace looks into one run: leave out --runs and give one optimizer and one "),
    (["--trace-step", "2"], "--trace-step goes with --trace"),
    (["--trace", "--trace-step", "8", "--steps", "9", "--steps", "7"],  # of a flag given twice, the last one counts
     "--trace-step must be one of the 7 steps, not 8"),
]


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize(("flags", "says"), WRONG, ids=ascii)
def test_wrong_input_gets_one_sentence_and_status_2(recipe, flags, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        SCRIPTS[recipe].main(["--output-dir", "outputs", *flags])
    printed, errors = capsys.readouterr()
    assert (end.value.code, printed) == (2, "")
    assert one_sentence(errors)
    assert errors.startswith(f"{recipe}.py: ")
    assert says in errors
    assert names(tmp_path) == []


@pytest.mark.parametrize("flag", ["--output-dir", "--tensorboard"])
@pytest.mark.parametrize("place", ["file", "file/deeper/down", "/proc", "n" * 300, "a\0b"], ids=ascii)
def test_a_folder_that_cannot_be_written_gets_one_sentence_and_status_2(flag, place, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("kept", encoding="ascii")
    with pytest.raises(SystemExit) as end:
        SCRIPTS["regression"].main(["--no-figure", "--output-dir", "outputs", flag, place])
    printed, errors = capsys.readouterr()
    assert (end.value.code, printed) == (2, "")
    assert one_sentence(errors)
    assert errors.startswith(f"regression.py: cannot write in the folder '{place}' (")
    assert errors.endswith(f"): name another one with {flag}.\n")
    assert (tmp_path / "file").read_text(encoding="ascii") == "kept"


def test_help_and_wrong_input_load_no_package_and_need_no_docstrings(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        SCRIPTS["regression"].main(["--help"])
    shown = capsys.readouterr().out
    assert "(outputs/ of the checkout)" in shown
    assert "several to compare, or all\n" in shown
    for package in ("tensorflow", "matplotlib"):
        (tmp_path / f"{package}.py").write_text("raise RuntimeError('loaded')", encoding="ascii")
    for flags, status in ((["--help"], 0), (["--steps=0"], 2), (["--optimizer=all", "--trace"], 2)):
        script = run("regression", *flags, env={"PYTHONPATH": str(tmp_path), "PYTHONOPTIMIZE": "2"})
        assert "loaded" not in script.stderr
        assert (script.returncode, script.stdout) == (status, "" if status else shown)
        assert (script.stderr == "") == (status == 0)
