"""Draws a confusion matrix."""

import sys

import matplotlib
import pandas

matplotlib.use("Agg")
from matplotlib import pyplot

counts = pandas.read_csv(sys.argv[1]).to_numpy()
figure, axes = pyplot.subplots()
axes.imshow(counts, cmap="Blues")
axes.set(xlabel="predicted", ylabel="true", xticks=range(10), yticks=range(10))
for row in range(10):
    for column in range(10):
        if counts[row, column]:
            axes.text(column, row, counts[row, column], ha="center", va="center")
# Without the version of matplotlib in the file.
figure.savefig("confusion.png", metadata={"Software": None})
