"""Fits a forest to the digits."""

import argparse
import pickle

from sklearn.ensemble import RandomForestClassifier

import digits

parser = argparse.ArgumentParser()
parser.add_argument("table")
parser.add_argument("--trees", type=int, required=True)
parser.add_argument("--depth", type=int, required=True)
parser.add_argument("--seed", type=int, required=True)
arguments = parser.parse_args()

x, y = digits.read(arguments.table)
model = RandomForestClassifier(arguments.trees, max_depth=arguments.depth, random_state=arguments.seed)
model.fit(x, y)
with open("model.pkl", "wb") as file:
    pickle.dump(model, file)
