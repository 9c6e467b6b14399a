#!/usr/bin/env python3
"""Validates rendered charts strictly: Kubernetes' own resources against its three newest minor versions, the others
against the schemas in .ci/crds. A kind that neither knows is an error. Usage: chart-schemas.py rendered.yaml..."""

import copy
import json
import pathlib
import re
import sys

import jsonschema
import kubernetes_validate
import yaml

CRDS = pathlib.Path(__file__).resolve().parent / "crds"
NEWEST = 3


def versions():
    """The newest minor versions that the package has schemas of, as 1.37.0."""
    folder = pathlib.Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
    found = {tuple(map(int, name[1].split("."))) for path in folder.iterdir() if (name := re.fullmatch(r"v([\d.]+)-local-strict", path.name))}
    return [".".join(map(str, version)) for version in sorted(found)[-NEWEST:]]


def strict(schema):
    """The same schema, refusing properties that it does not name, and knowing numbers that may be texts."""
    schema = copy.deepcopy(schema)
    if schema.pop("x-kubernetes-int-or-string", False):
        schema.pop("type", None)
        schema["type"] = ["integer", "string"]
    properties = schema.get("properties")
    if properties is not None:
        schema["properties"] = {name: strict(inner) for name, inner in properties.items()}
        if "additionalProperties" not in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
            schema["additionalProperties"] = False
    for inner in ("items", "additionalProperties"):
        if isinstance(schema.get(inner), dict):
            schema[inner] = strict(schema[inner])
    return schema


def custom(document):
    """The strict schema of a custom resource; None where it is not one of those in .ci/crds."""
    group, _, version = document["apiVersion"].rpartition("/")
    path = CRDS / f"{group}_{version}_{document['kind']}.json"
    if not path.exists():
        return None
    schema = json.loads(path.read_text())
    schema["properties"]["metadata"] = {"type": "object"}
    return strict(schema)


def main(paths):
    kubernetes, problems, checked = versions(), [], 0
    for path in paths:
        for document in filter(None, yaml.safe_load_all(pathlib.Path(path).read_text())):
            name = f"{pathlib.Path(path).name}: {document['kind']} {document['metadata']['name']}"
            schema = custom(document)
            if schema:
                checked += 1
                for error in jsonschema.Draft7Validator(schema).iter_errors(document):
                    problems.append(f"{name}: {'.'.join(map(str, error.absolute_path))}: {error.message}")
                continue
            for version in kubernetes:
                checked += 1
                try:
                    kubernetes_validate.validate(document, version, strict=True)
                except kubernetes_validate.ValidationError as error:
                    problems.append(f"{name}: Kubernetes {version}: {'.'.join(map(str, error.path))}: {error.message}")
    for problem in problems:
        print(f"chart schemas: {problem}", file=sys.stderr)
    print(f"chart schemas: {checked} checks, Kubernetes {', '.join(kubernetes)}, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
