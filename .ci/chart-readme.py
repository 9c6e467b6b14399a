#!/usr/bin/env python3
"""Makes the table of values in the chart's README from the comments in values.yaml.

Usage: chart-readme.py           fails where the README is not what the comments say
       chart-readme.py --write   writes it

Every value has a comment `# -- What it does.` right above it, which may go on in the next lines.
"""

import json
import pathlib
import re
import sys

import yaml

CHART = pathlib.Path(__file__).resolve().parent.parent / "helm" / "gridlease"
MARK = re.compile(r"(<!-- values -->\n).*(<!-- /values -->)", re.DOTALL)
KEY = re.compile(r"^(?P<indent> *)(?P<key>[A-Za-z0-9_.-]+):")


def documented(text):
    """The path of every commented value, with its comment, in order."""
    path, comment = [], []
    for line in text.splitlines():
        words = line.strip()
        if words.startswith("# -- "):
            comment = [words[5:]]
            continue
        if words.startswith("#") and comment:
            comment.append(words.lstrip("# "))
            continue
        found = KEY.match(line)
        if found:
            path = [*path[: len(found["indent"]) // 2], found["key"]]
            if comment:
                yield tuple(path), " ".join(comment)
        comment = []


def value_at(values, path):
    for key in path:
        values = values[key]
    return values


def leaves(value, path=()):
    """Every value that is not a map of further values."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    else:
        yield path


def table():
    text = (CHART / "values.yaml").read_text(encoding="utf-8")
    values = yaml.safe_load(text)
    comments = dict(documented(text))
    bare = [leaf for leaf in leaves(values) if not any(leaf[:n] in comments for n in range(1, len(leaf) + 1))]
    if bare:
        raise SystemExit("values.yaml says nothing of " + ", ".join(".".join(leaf) for leaf in bare))
    lines = ["| Value | Default | What it does |", "|---|---|---|"]
    for path, comment in comments.items():
        default = json.dumps(value_at(values, path))
        lines.append(f"| `{'.'.join(path)}` | `{default}` | {comment} |")
    return "\n".join(lines) + "\n"


def main(arguments):
    readme = CHART / "README.md"
    found = readme.read_text(encoding="utf-8")
    wanted = MARK.sub(lambda mark: f"{mark[1]}{table()}{mark[2]}", found)
    if arguments == ["--write"]:
        readme.write_text(wanted, encoding="utf-8")
    elif found != wanted:
        print("helm/gridlease/README.md is not what values.yaml says: run .ci/chart-readme.py --write", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
