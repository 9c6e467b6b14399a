#!/usr/bin/env python3
"""Checks the dependencies against deny.toml, the one table of what may be built in.

Reads the same keys as cargo-deny (licences, bans, duplicates, version floors, sources); .ci/run prefers cargo-deny
where it is installed. What is banned must not be built for any target or feature (`cargo tree`); floors and sources
hold for all of Cargo.lock, also for what only a lock file mentions.
"""

import collections
import json
import pathlib
import re
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"


def cargo(*arguments):
    done = subprocess.run(["cargo", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"dependency policy: cargo {arguments[0]} failed")
    return done.stdout


def built_packages():
    """(name, version) of everything that some target or feature builds."""
    lines = cargo(
        "tree", "--locked", "--workspace", "--target=all", "--all-features", "--edges=normal,build,dev",
        "--prefix=none", "--format={p}", "--no-dedupe",
    ).splitlines()  # fmt: skip
    return {(name, version.removeprefix("v")) for name, version in (line.split()[:2] for line in lines if line)}


def as_numbers(version):
    numbers = [int(part) for part in re.split(r"[-+]", version)[0].split(".")]
    return numbers + [0] * (3 - len(numbers))


def matches(version, requirement):
    """Whether a version is in a range such as `<0.4.16`; only `<` is used in our table."""
    if not requirement.startswith("<") or requirement.startswith("<="):
        raise SystemExit(f"deny.toml: the range `{requirement}` is not understood; write `<x.y.z`")
    return as_numbers(version) < as_numbers(requirement[1:].strip())


class Licence:
    """Judges one SPDX expression; `/` is the old way to write OR."""

    def __init__(self, text, allowed):
        self.tokens = re.findall(r"\(|\)|[^\s()/]+|/", text)
        self.allowed = allowed

    def holds(self):
        value = self.alternatives()
        if self.tokens:
            raise ValueError(f"unexpected `{self.tokens[0]}`")
        return value

    def alternatives(self):
        value = self.all_of()
        while self.tokens and self.tokens[0] in ("OR", "/"):
            self.tokens.pop(0)
            value = self.all_of() or value
        return value

    def all_of(self):
        value = self.one()
        while self.tokens and self.tokens[0] == "AND":
            self.tokens.pop(0)
            value = self.one() and value
        return value

    def one(self):
        token = self.tokens.pop(0)
        if token == "(":
            value = self.alternatives()
            if self.tokens.pop(0) != ")":
                raise ValueError("a parenthesis is missing")
            return value
        if self.tokens and self.tokens[0] == "WITH":
            self.tokens.pop(0)
            token = f"{token} WITH {self.tokens.pop(0)}"
        return token in self.allowed


def check_licences(policy, packages, built):
    exceptions = {entry["crate"]: entry["allow"] for entry in policy.get("exceptions", [])}
    for package in packages:
        if package["source"] is None or (package["name"], package["version"]) not in built:
            continue
        allowed = {*policy["allow"], *exceptions.get(package["name"], [])}
        licence = package["license"]
        try:
            holds = bool(licence) and Licence(licence, allowed).holds()
        except (IndexError, ValueError) as error:
            yield f"{package['name']} {package['version']}: licence `{licence}` cannot be read: {error}"
            continue
        if not holds:
            yield f"{package['name']} {package['version']}: licence `{licence}` is not in [licenses] allow"


def check_bans(policy, locked, built):
    versions = collections.defaultdict(set)
    for name, version in built:
        versions[name].add(version)
    for entry in policy["deny"]:
        entry = {"crate": entry} if isinstance(entry, str) else entry
        name, _, requirement = entry["crate"].partition(":")
        why = entry.get("reason", "no reason given")
        if entry.get("deny-multiple-versions"):
            if len(versions[name]) > 1:
                yield f"{name}: built {len(versions[name])} times ({', '.join(sorted(versions[name]))})"
        elif requirement:
            for package in locked:
                if package["name"] == name and matches(package["version"], requirement):
                    yield f"{name} {package['version']}: {requirement} is refused: {why}"
        elif name in versions:
            yield f"{name} {', '.join(sorted(versions[name]))}: refused: {why}"


def check_sources(packages, locked):
    for package in locked:
        source = package.get("source")
        if source is not None and source != CRATES_IO:
            yield f"{package['name']} {package['version']}: comes from {source}, not from crates-io"
    for package in packages:
        if package["source"] is not None:
            continue
        for dependency in package["dependencies"]:
            if dependency["req"] == "*" and dependency["source"] is not None:
                yield f"{package['name']}: asks for any version of {dependency['name']}"


def main():
    policy = tomllib.loads((ROOT / "deny.toml").read_text())
    locked = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    packages = json.loads(cargo("metadata", "--locked", "--format-version=1"))["packages"]
    built = built_packages()
    problems = [
        *check_licences(policy["licenses"], packages, built),
        *check_bans(policy["bans"], locked, built),
        *check_sources(packages, locked),
    ]
    for problem in sorted(problems):
        print(f"dependency policy: {problem}", file=sys.stderr)
    print(f"dependency policy: {len(built)} packages built, {len(locked)} locked, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
