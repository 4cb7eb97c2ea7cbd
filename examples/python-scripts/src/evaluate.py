"""Scores a model, and counts which digit it takes for which."""

import json
import pickle
import sys

import pandas
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

import digits

with open(sys.argv[1], "rb") as file:
    model = pickle.load(file)
x, y = digits.read(sys.argv[2])
said = model.predict(x)
figures = {
    "accuracy": accuracy_score(y, said),
    "f1": f1_score(y, said, average="macro"),
    "errors": int((y != said).sum()),
}
with open("metrics.json", "w") as file:
    json.dump(figures, file, indent=2)
pandas.DataFrame(confusion_matrix(y, said)).to_csv("confusion.csv", index=False)
