"""Reads {objects, definitions} from standard input and prints the faults of each object as a list of lists of strings.

Kubernetes' own kinds are checked against the schemas of kubernetes-validate, the others against the
CustomResourceDefinitions given. A field that no schema knows is a fault.
"""

import json
import sys

import jsonschema
import kubernetes_validate

VERSIONS = ["1.29", kubernetes_validate.latest_version()]


def closed(schema):
    """The schema without permission for unknown fields."""
    if not isinstance(schema, dict):
        return schema
    result = {key: value for key, value in schema.items()}
    for key in ("items", "additionalProperties"):
        if key in schema:
            result[key] = closed(schema[key])
    if "properties" in schema:
        result["properties"] = {name: closed(value) for name, value in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields") and "additionalProperties" not in schema:
            result["additionalProperties"] = False
    return result


def schemas_of(definitions):
    for definition in definitions:
        group, kind = definition["spec"]["group"], definition["spec"]["names"]["kind"]
        for version in definition["spec"]["versions"]:
            schema = closed(version["schema"]["openAPIV3Schema"])
            schema["properties"]["metadata"] = {"type": "object"}
            yield (f"{group}/{version['name']}", kind), schema


def place(path):
    return ".".join(str(part) for part in path)


def faults_of(value, custom):
    schema = custom.get((value["apiVersion"], value["kind"]))
    if schema is not None:
        errors = jsonschema.Draft202012Validator(schema).iter_errors(value)
        return [f"{place(error.absolute_path)}: {error.message}" for error in errors]
    faults = []
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(value, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            faults.append(f"{place(error.absolute_path)}: {error.message}")
        except kubernetes_validate.SchemaNotFoundError as error:
            faults.append(error.message)
    return faults


given = json.load(sys.stdin)
custom = dict(schemas_of(given["definitions"]))
json.dump([faults_of(value, custom) for value in given["objects"]], sys.stdout)
