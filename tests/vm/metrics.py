#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Read metrics with parsers that others have written.

metrics.py openmetrics|prometheus FILE [NAME[{LABEL=VALUE,...}]...]

Fails unless all of FILE is good. Prints the sum of the samples of each NAME
that have these labels.
"""
import sys

from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics_parser


def matches(sample, wanted):
    name, _, labels = wanted.rstrip("}").partition("{")
    pairs = [label.split("=") for label in labels.split(",")] if labels else []
    return sample.name == name and all(sample.labels.get(k) == v for k, v in pairs)


def main(kind, file, *wanted):
    parse = {
        "openmetrics": openmetrics_parser.text_string_to_metric_families,
        "prometheus": parser.text_string_to_metric_families,
    }[kind]
    with open(file) as text:
        families = list(parse(text.read()))
    for family in families:
        # What has no declaration is taken for unknown, and is a mistake.
        if family.type not in ("counter", "gauge", "histogram"):
            sys.exit(f"{family.name}: {family.type}")
    samples = [sample for family in families for sample in family.samples]
    for name in wanted:
        print(int(sum(s.value for s in samples if matches(s, name))))


main(*sys.argv[1:])
