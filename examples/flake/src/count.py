"""Counts the points above and below the diagonal."""
import json
import sys

import numpy

points = numpy.loadtxt(sys.argv[1], delimiter=",", skiprows=1)
above = int((points[:, 1] > points[:, 0]).sum())
with open("metrics.json", "w") as out:
    json.dump({"above": above, "below": len(points) - above, "middle": float(points.mean())}, out)
