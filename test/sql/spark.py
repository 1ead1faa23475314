"""Reads {rows, statements, periods, views} from standard input, runs the statements in Spark, and prints all rows of each view
for each period."""
import json
import sys
import tempfile

from pyspark.sql import SparkSession

question = json.load(sys.stdin)
settings = {
    # Small data: compiling queries and several tasks would take most of the time.
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    # Shows what depends on it.
    "spark.sql.session.timeZone": "America/New_York",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
}
with tempfile.TemporaryDirectory() as warehouse:
    builder = SparkSession.builder.master("local[1]").config("spark.sql.warehouse.dir", warehouse)
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.conf.set("rows", question["rows"])
    for statement in question["statements"]:
        spark.sql(statement)
    answers = []
    for period in question["periods"]:
        spark.sql(period)
        answers.append({view: [row.asDict() for row in spark.table(view).collect()] for view in question["views"]})
    spark.stop()
json.dump(answers, sys.stdout)
