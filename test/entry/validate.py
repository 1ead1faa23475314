"""Reads {"schema", "values"} from standard input and prints, for each value, whether it is valid: a JSON array."""
import json
import sys

from jsonschema import Draft202012Validator

given = json.load(sys.stdin)
Draft202012Validator.check_schema(given["schema"])
validator = Draft202012Validator(given["schema"])
json.dump([validator.is_valid(value) for value in given["values"]], sys.stdout)
