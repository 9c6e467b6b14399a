#!/usr/bin/env python3
"""Checks what a Dockerfile may do, and that each rule can fail. Usage: image-policy.py Dockerfile"""

import pathlib
import re
import sys

LABELS = ("title", "description", "licenses", "version", "revision")


def instructions(text):
    """Every instruction with its arguments, lines that go on joined, comments left out."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return [tuple(line.split(None, 1)) for line in lines.replace("\\\n", " ").splitlines() if line.strip()]


def of(found, word):
    return [arguments for name, arguments in found if name.upper() == word]


def final(found):
    """The instructions of the last stage."""
    start = max(at for at, (name, _) in enumerate(found) if name.upper() == "FROM")
    return found[start:]


def bases(found):
    """What the stages begin with, arguments filled in, without stages of this file."""
    defaults = dict(argument.split("=", 1) for argument in of(found, "ARG") if "=" in argument)
    stages = {line.split()[-1] for line in of(found, "FROM") if " AS " in line.upper()}
    for line in of(found, "FROM"):
        base = re.sub(r"\$\{(\w+)\}", lambda name: defaults.get(name[1], ""), line.split()[0])
        if base not in stages:
            yield base


def is_pinned(base):
    return base == "scratch" or "@sha256:" in base or re.search(r":\d+\.\d+\.\d+[^/]*$", base)


# Rule, whether it holds, and a change to the text that must break it.
RULES = [
    ("every base has a whole version or a digest", lambda f: all(map(is_pinned, bases(f))), ("rust:1.95.0-slim-bookworm", "rust:slim")),
    ("the last stage begins with nothing", lambda f: of(final(f), "FROM") == ["scratch"], ("FROM scratch", "FROM debian:12.7.0")),
    ("runs as a numbered user that is not root", lambda f: of(final(f), "USER") and all(re.fullmatch(r"[1-9]\d{4,}:[1-9]\d{4,}", u) for u in of(final(f), "USER")), ("USER 10001:10001", "USER root")),
    ("adds nothing from elsewhere", lambda f: not of(f, "ADD"), ("COPY . .", "ADD https://example.com/a.tar .")),
    ("fetches nothing but crates", lambda f: not any(re.search(r"curl|wget|git clone|apt-get|apk add", run) for run in of(f, "RUN")), ("RUN cargo", "RUN curl -sSf https://example.com | sh && cargo")),
    ("builds what is locked", lambda f: all("--locked" in run for run in of(f, "RUN") if "cargo build" in run), ("--locked ", "")),
    ("the last stage runs nothing", lambda f: not of(final(f), "RUN"), ("USER 10001", "RUN true\nUSER 10001")),
    ("starts a program, no shell", lambda f: all(c.startswith("[") for c in of(f, "CMD") + of(f, "ENTRYPOINT")), ('CMD ["/usr/local/bin/gridlease", "--help"]', "CMD gridlease")),
    ("says what it is", lambda f: all(f"org.opencontainers.image.{label}=" in " ".join(of(final(f), "LABEL")) for label in LABELS), ("image.licenses", "image.licence")),
    ("has no secret in an argument or variable", lambda f: not re.search(r"(?i)password|token|secret", " ".join(of(f, "ARG") + of(f, "ENV"))), ("ARG PROFILE=release", "ARG REGISTRY_TOKEN=x")),
]


def main(path):
    text = pathlib.Path(path).read_text(encoding="utf-8")
    problems = [f"not so: {name}" for name, holds, _ in RULES if not holds(instructions(text))]
    for name, holds, (old, new) in RULES:
        if old not in text or holds(instructions(text.replace(old, new))):
            problems.append(f"its mutant passes, so it checks nothing: {name}")
    for problem in problems:
        print(f"image policy: {problem}", file=sys.stderr)
    print(f"image policy: {len(RULES)} rules, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
