#!/usr/bin/env python3
"""Plants the bugs of bugs.toml and says of each whether the test that is named for it finds it.

    integration-tests/planted/run.py              all of them, and writes golden/planted_bugs.md
    integration-tests/planted/run.py audit SET    those whose name holds one of these words; writes nothing

All bugs are built into one program, and each sleeps until the environment wakes it: one build, and a run for each bug. Its
control is the same program with every bug asleep. Sources hold the bugs while it is built, and are as they were when it is.
The exit code is 0 only if every test fails with its bug and passes without.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
GOLDEN = ROOT / "integration-tests" / "golden" / "planted_bugs.md"
LONGEST_S = 600
# A busy machine makes a test fail now and then: a bug is found if its test fails every time, and sound is what passes once.
TRIES = 2
AWAKE = "GRIDLEASE_PLANTED"
SQL = "GRIDLEASE_PLANTED_SQL"
BUILD = ["cargo", "test", "--no-run", "--message-format=json-render-diagnostics",
         "-p", "integration-tests", "--test", "it", "-p", "runtime", "--lib"]


def planted(bugs):
    """Each source with all its bugs, and as it is without."""
    whole, bent = {}, {}
    for bug, edit in ((bug, edit) for bug in bugs for edit in bug.get("edit", [])):
        path = ROOT / edit["file"]
        if path not in whole:
            whole[path] = bent[path] = path.read_text()
        for text in (whole[path], bent[path]):
            if text.count(edit["find"]) != 1:
                sys.exit(f"{bug['name']}: {edit['file']} has its line {text.count(edit['find'])} times")
        wakes = f'std::env::var_os("{AWAKE}").is_some_and(|bug| bug == "{bug["name"]}")'
        bent[path] = bent[path].replace(edit["find"], edit["replace"].replace("<planted>", f"({wakes})"))
    return whole, bent


def built(bugs, folder):
    """Where the tests of each package are, built with the bugs in."""
    whole, bent = planted(bugs)
    try:
        for path, text in bent.items():
            path.write_text(text)
        made = subprocess.run(BUILD, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    finally:
        for path, text in whole.items():
            path.write_text(text)
    if made.returncode != 0:
        sys.exit("the bugs do not build")
    programs = {}
    for line in made.stdout.splitlines():
        told = json.loads(line)
        if told.get("executable"):
            programs[told["target"]["name"]] = shutil.copy2(told["executable"], folder / told["target"]["name"])
    return programs


def run(programs, test, bug=None, sql=None):
    """Whether the one test passed, or nothing if it is not there; and what was said."""
    program, name = test.split(" ")
    environment = {**os.environ, "CARGO_BIN_EXE_node": str(programs["node"]), "RUST_BACKTRACE": "0"}
    environment |= {AWAKE: bug} if bug else {}
    environment |= {SQL: str(sql)} if sql else {}
    folder = ROOT / ("integration-tests" if program == "it" else f"services/{program}")
    try:
        ran = subprocess.run([programs[program], "--exact", name], cwd=folder, env=environment, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LONGEST_S)
    except subprocess.TimeoutExpired:
        return False, f"it did not end within {LONGEST_S} s"
    # Neither a test that is not there nor SQL that does not apply finds anything.
    there = "running 1 test" in ran.stdout and "the planted bug" not in ran.stdout
    return ran.returncode == 0 if there else None, ran.stdout


def found(programs, bug, folder):
    """Whether the bug's test finds it, and what was said."""
    sql = None
    if "sql" in bug:
        sql = folder / "planted.sql"
        sql.write_text(bug["sql"])
    for _ in range(TRIES):
        passed, said = run(programs, bug["test"], bug["name"], sql)
        if passed is not False:
            return False, said
    return True, said


def sound(programs, test):
    """Whether the test passes while every bug sleeps, and what was said."""
    for _ in range(TRIES):
        passed, said = run(programs, test)
        if passed:
            return True, said
    return False, said


def report(rows):
    """The golden report, in the order of bugs.toml."""
    head = ("# Planted bugs, and the tests that find them\n\nWritten by `integration-tests/planted/run.py`, which builds every "
            "bug in, wakes one at a time, and runs the test\nbeside it; without the bug the same test of the same program "
            "passes.\n\n| bug | planted in | test | |\n|---|---|---|---|\n")
    return head + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def main():
    bugs = tomllib.loads((HERE / "bugs.toml").read_text())["bug"]
    words = sys.argv[1:]
    chosen = [bug for bug in bugs if not words or any(word.lower() in bug["name"].lower() for word in words)]
    rows, wrong = [], 0
    with tempfile.TemporaryDirectory(prefix="gridlease-planted-") as folder:
        folder = pathlib.Path(folder)
        programs = built(bugs, folder)
        for test in sorted({bug["test"] for bug in chosen}):
            passed, said = sound(programs, test)
            if not passed:
                wrong += 1
                print(f"FAILS WITHOUT A BUG  {test}\n{said[-3_000:]}", file=sys.stderr, flush=True)
        for bug in chosen:
            is_found, said = found(programs, bug, folder)
            wrong += not is_found
            print(f"{'found ' if is_found else 'MISSED'}  {bug['name']}", flush=True)
            if not is_found:
                print(said[-3_000:], file=sys.stderr, flush=True)
            files = dict.fromkeys(f"`{edit['file']}`" for edit in bug.get("edit", []))
            where = " and ".join([*files] + ["the store"] * ("sql" in bug))
            rows.append([bug["name"], where, f"`{bug['test']}`", "found" if is_found else "MISSED"])
    if not words:
        GOLDEN.write_text(report(rows))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
