#!/usr/bin/env python3
"""Runs the commands that the documents show, so that no document promises what does not work.

Usage: readme-commands.py FILE.md...

A fenced block is run when the line before it is one of these comments, which a reader of the page does not see:

    <!-- ci: run -->                   run the block to its end; it must succeed
    <!-- ci: run fails -->             run the block to its end; it must not succeed
    <!-- ci: start "text" -->          start the block in the background and wait until it has printed `text`; what was
                                       started before is stopped by Ctrl-C first and must end by itself
    <!-- ci: stop -->                  stop what was started (no block follows); the end of the file does the same

`sh` blocks are given to bash as they are. `console` blocks run their `$ ` lines (a backslash continues a line); the
other lines are what the command must print, in this order, spaces apart: `...` stands for anything, and a line of it
for any number of lines. `python` blocks are given to python3. Variables that a block sets are there in the blocks
after it, in Python in os.environ. Everything runs in the top folder of the repository.
"""

import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
MARK = re.compile(r"^<!-- ci: (?P<do>run|run fails|start|stop)(?: \"(?P<text>[^\"]+)\")? -->$")
BLOCK_SECONDS = 600
START_SECONDS = 1200
STOP_SECONDS = 60


class Failed(Exception):
    """What a block did not do; the message says which."""


class Block:
    def __init__(self, where, do, text, language, lines):
        self.where, self.do, self.text, self.language, self.lines = where, do, text, language, lines

    def __str__(self):
        first = next((line for line in self.lines if line.strip()), "")
        return f"{self.where} ({self.do}) {first.strip()[:70]}"


def blocks_of(path):
    """The marked blocks of a file, in order."""
    lines = path.read_text().splitlines()
    at = 0
    while at < len(lines):
        mark = MARK.match(lines[at].strip())
        at += 1
        if "<!-- ci:" in lines[at - 1] and not mark:
            raise Failed(f"{path.name}:{at}: the comment is not understood: {lines[at - 1]}")
        if not mark:
            continue
        where = f"{path.name}:{at}"
        if mark["do"] == "stop":
            yield Block(where, "stop", None, "", [])
            continue
        fence = re.match(r"^(\s*)```(\w+)$", lines[at]) if at < len(lines) else None
        if not fence or fence[2] not in ("sh", "console", "python"):
            raise Failed(f"{where}: no ```sh, ```console or ```python follows")
        if (mark["do"] == "start") != (mark["text"] is not None):
            raise Failed(f"{where}: `start`, and only it, says which text to wait for")
        end = next((i for i in range(at + 1, len(lines)) if lines[i].strip() == "```"), None)
        if end is None:
            raise Failed(f"{where}: the block has no end")
        indent = len(fence[1])
        yield Block(where, mark["do"], mark["text"], fence[2], [line[indent:] for line in lines[at + 1 : end]])
        at = end + 1


def console_commands(lines):
    """Pairs of a command and the lines it must print."""
    pairs = []
    for line in lines:
        if pairs and pairs[-1][0].endswith("\\"):
            pairs[-1] = (f"{pairs[-1][0]}\n{line}", pairs[-1][1])
        elif line.startswith("$ "):
            pairs.append((line[2:], []))
        elif pairs and line.strip():
            pairs[-1][1].append(line)
    return pairs


def missing_line(expected, printed):
    """The first expected line that was not printed in its place, or None."""
    have = [" ".join(line.split()) for line in printed.splitlines()]
    at = 0
    for line in expected:
        wanted = " ".join(line.split())
        if wanted == "...":
            continue
        pattern = ".*".join(re.escape(part) for part in wanted.split("..."))
        at = next((i + 1 for i in range(at, len(have)) if re.fullmatch(pattern, have[i])), None)
        if at is None:
            return line
    return None


class Runner:
    """Runs blocks one after another; keeps their variables and the process started last."""

    def __init__(self, folder):
        self.variables = folder / "variables"
        self.background, self.printed, self.ready = None, [], threading.Event()

    def script(self, command, keep=True):
        # `set -a` exports what the block sets; the trap keeps it for the next, whatever the block's end.
        file = shlex.quote(str(self.variables))
        restore = f". {file}" if self.variables.exists() else ":"
        save = f"trap 'export -p > {file}' EXIT" if keep else ":"
        return f"set -euo pipefail\n{restore}\nset -a\n{save}\n{command}\n"

    def bash(self, command, fails=False):
        try:
            # A session of its own, so that a command that hangs is ended with its children.
            process = subprocess.Popen(
                ["bash", "-c", self.script(command)], cwd=ROOT, text=True, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            printed, _ = process.communicate(timeout=BLOCK_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            printed, _ = process.communicate()
            raise Failed(f"not within {BLOCK_SECONDS} s:\n{command}\n{printed}") from None
        if (process.returncode != 0) != fails:
            raise Failed(f"exit code {process.returncode}:\n{command}\n{printed}")
        return printed

    def run(self, block):
        fails = block.do == "run fails"
        if block.language == "console":
            for command, expected in console_commands(block.lines):
                printed = self.bash(command, fails)
                line = missing_line(expected, printed)
                if line is not None:
                    raise Failed(f"`{command}` did not print\n  {line}\nbut\n{printed}")
        elif block.language == "python":
            self.bash("python3 - <<'END_OF_BLOCK'\n" + "\n".join(block.lines) + "\nEND_OF_BLOCK", fails)
        else:
            self.bash("\n".join(block.lines), fails)

    def start(self, block):
        self.stop()
        lines = block.lines
        if block.language == "console":
            lines = [command for command, _ in console_commands(block.lines)]
        self.printed, self.ready = [], threading.Event()
        # Its own process group: Ctrl-C reaches a whole group, and this is how a terminal would do it.
        self.background = subprocess.Popen(
            ["bash", "-c", self.script("\n".join(lines), keep=False)], cwd=ROOT, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        threading.Thread(target=self._read, args=(self.background, block.text), daemon=True).start()
        end = time.monotonic() + START_SECONDS
        while not self.ready.wait(0.2):
            if self.background.poll() is not None or time.monotonic() > end:
                raise Failed(f"`{block.text}` was not printed:\n{''.join(self.printed[-60:])}")

    def _read(self, process, text):
        for line in process.stdout:
            self.printed.append(line)
            if text in line:
                self.ready.set()

    def stop(self):
        process, self.background = self.background, None
        if process is None:
            return
        if process.poll() is not None:
            raise Failed(f"it ended too early, exit code {process.returncode}:\n{''.join(self.printed[-60:])}")
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise Failed(f"Ctrl-C did not end it within {STOP_SECONDS} s") from None
        if process.returncode not in (0, 130, -signal.SIGINT):
            raise Failed(f"Ctrl-C ended it with {process.returncode}:\n{''.join(self.printed[-60:])}")


def main(paths):
    done, block = 0, None
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(pathlib.Path(folder))
        try:
            for path in paths:
                for block in blocks_of(pathlib.Path(path)):
                    began = time.monotonic()
                    if block.do == "start":
                        runner.start(block)
                    elif block.do == "stop":
                        runner.stop()
                    else:
                        runner.run(block)
                    done += block.do != "stop"
                    print(f"  {time.monotonic() - began:6.1f} s  {block}", flush=True)
                runner.stop()
        except Failed as failure:
            print(f"documented command: {block or ''}: {failure}", file=sys.stderr)
            return 1
        finally:
            if runner.background is not None and runner.background.poll() is None:
                os.killpg(runner.background.pid, signal.SIGKILL)
    print(f"documented commands: {done} run")
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
