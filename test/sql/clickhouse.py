"""Reads {rows, statements, periods, views} from standard input, runs the statements in ClickHouse, and prints all rows of each
view for each period."""
import json
import sys
import tempfile
import types


class Absent(types.ModuleType):
    """The small build of chDB imports these for results as data frames, which nobody asks for here."""

    __getattr__ = lambda self, name: object


for name in ("pandas", "pyarrow"):
    sys.modules[name] = Absent(name)

from chdb import session


def rows_of(clickhouse, view):
    return json.loads(str(clickhouse.query(f"SELECT * FROM {view}", "JSON")))["data"]


question = json.load(sys.stdin)
with tempfile.TemporaryDirectory() as directory:
    clickhouse = session.Session(directory)
    # Shows what depends on it.
    clickhouse.query("SET session_timezone = 'America/New_York'")
    clickhouse.query(f"SET param_rows = '{question['rows']}'")
    for statement in question["statements"]:
        clickhouse.query(statement)
    answers = []
    for period in question["periods"]:
        clickhouse.query(period)
        answers.append({view: rows_of(clickhouse, view) for view in question["views"]})
    clickhouse.close()
json.dump(answers, sys.stdout)
