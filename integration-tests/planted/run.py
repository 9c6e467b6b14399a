#!/usr/bin/env python3
"""Plants the bugs of bugs.toml, one by one, and says of each whether the test that is named for it finds it.

    integration-tests/planted/run.py              all of them, and writes golden/planted_bugs.md
    integration-tests/planted/run.py audit SET    those whose name holds one of these words; writes nothing
    integration-tests/planted/run.py --check      only whether each can still be planted

A bug is in the sources only while its test runs; a run that is interrupted takes it out again. The exit code is 0 only if
every test failed as it should, and passed without the bug.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
GOLDEN = ROOT / "integration-tests" / "golden" / "planted_bugs.md"
LONGEST_S = 3_600


def cannot_be_planted(bug):
    """Why the bug cannot be planted any more, or nothing."""
    if "sql" in bug:
        return None
    found = (ROOT / bug["file"]).read_text().count(bug["find"])
    return None if found == 1 else f"{bug['name']}: {bug['file']} has its line {found} times"


def cargo(test, environment=None):
    """Whether the tests ran, whether they passed, and what was said."""
    package, name = test[:-1], test[-1]
    built = subprocess.run(["cargo", "test", "--quiet", *package, "--no-run"], cwd=ROOT, capture_output=True, text=True)
    if built.returncode != 0:
        return False, False, built.stderr
    ran = subprocess.run(["cargo", "test", "--quiet", *package, "--", name], cwd=ROOT, capture_output=True, text=True,
                         env={**os.environ, **(environment or {})}, timeout=LONGEST_S)
    said = ran.stdout + ran.stderr
    return "running 0 tests" not in said or "passed; 0 failed" in said and " 0 passed" not in said, ran.returncode == 0, said


def plant(bug):
    """Whether the test finds the bug, and what was said."""
    if "sql" in bug:
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(bug["sql"])
            file.flush()
            ran, passed, said = cargo(bug["test"], {"GRIDLEASE_PLANTED_SQL": file.name})
        return ran and not passed and "the planted bug" not in said, said
    path = ROOT / bug["file"]
    sound = path.read_text()
    try:
        path.write_text(sound.replace(bug["find"], bug["replace"]))
        ran, passed, said = cargo(bug["test"])
    finally:
        path.write_text(sound)
    return ran and not passed, said


def main():
    bugs = tomllib.loads((HERE / "bugs.toml").read_text())["bug"]
    stale = [why for why in map(cannot_be_planted, bugs) if why]
    for why in stale:
        print(why, file=sys.stderr)
    words = [word for word in sys.argv[1:] if word != "--check"]
    if "--check" in sys.argv or stale:
        return bool(stale)
    chosen = [bug for bug in bugs if not words or any(word.lower() in bug["name"].lower() for word in words)]
    rows, missed = [], 0
    for bug in chosen:
        found, said = plant(bug)
        missed += not found
        where = bug.get("file", "the store")
        print(f"{'found ' if found else 'MISSED'}  {bug['name']}", flush=True)
        if not found:
            print(said[-3_000:], file=sys.stderr)
        rows.append(f"| {bug['name']} | {where} | `{bug['test'][-1]}` | {'found' if found else 'MISSED'} |")
    # The control: without a bug they pass.
    for test in {tuple(bug["test"]) for bug in chosen}:
        ran, passed, said = cargo(list(test))
        if not (ran and passed):
            print(f"FAILS WITHOUT A BUG  {' '.join(test)}\n{said[-3_000:]}", file=sys.stderr)
            missed += 1
    if not words:
        head = ("# Planted bugs, and the tests that find them\n\nWritten by `integration-tests/planted/run.py`.\n\n"
                "| bug | planted in | test | |\n|---|---|---|---|\n")
        GOLDEN.write_text(head + "\n".join(rows) + "\n")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
