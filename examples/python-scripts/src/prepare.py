"""Shuffles a table and sets a part of its rows aside."""

import argparse

import pandas

parser = argparse.ArgumentParser()
parser.add_argument("--split", type=float, required=True)
parser.add_argument("--seed", type=int, required=True)
arguments = parser.parse_args()

table = pandas.read_csv("data/digits.csv").sample(frac=1, random_state=arguments.seed)
aside = round(len(table) * arguments.split)
table[:aside].to_csv("test.csv", index=False)
table[aside:].to_csv("train.csv", index=False)
print(f"{len(table) - aside} rows to train on, {aside} to test on")
