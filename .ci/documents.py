#!/usr/bin/env python3
"""Checks that what documents point at is there: files, headings, and a section of the runbooks for every alert.

Usage: documents.py FILE.md...
"""

import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINK = re.compile(r"\[[^\]]*\]\((?!https?://|mailto:)([^)\s]+)\)")


def anchors(path):
    """The anchors of a document's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for heading in re.findall(r"^#+ +(.*)$", text, flags=re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def problems_of(path):
    for link in LINK.findall(path.read_text(encoding="utf-8")):
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        if not target.exists():
            yield f"{path.relative_to(ROOT)}: there is no {link}"
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            yield f"{path.relative_to(ROOT)}: {file or path.name} has no heading for #{anchor}"


def unwritten():
    sections = set(anchors(ROOT / "docs" / "runbooks.md"))
    alerts = yaml.safe_load((ROOT / "helm" / "gridlease" / "files" / "alerts.yaml").read_text(encoding="utf-8"))
    for group in alerts["groups"]:
        for rule in group["rules"]:
            if rule["alert"].lower() not in sections:
                yield f"docs/runbooks.md has no section {rule['alert']}"


def main(names):
    paths = [pathlib.Path(name).resolve() for name in names]
    problems = [problem for path in paths for problem in problems_of(path)] + list(unwritten())
    for problem in problems:
        print(f"documents: {problem}", file=sys.stderr)
    print(f"documents: {len(paths)} read, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
