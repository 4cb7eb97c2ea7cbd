# digits.ipynb, as a script: `mlp init --from` made it of the code cells.

# # Which digit is it?
#
# 600 handwritten digits of 8x8 pixels. Each is taken for the digit whose mean image is nearest.

# %%
# Jupyter's own, taken out: !pip install --quiet numpy

import json

import numpy as np

# %%
table = np.loadtxt("digits.csv", delimiter=",", skiprows=1)
pixels, digits = table[:, :64], table[:, 64].astype(int)
pixels.shape

# Half of them are to learn from, the others to be scored on.

# %%
order = np.random.default_rng(seed=7).permutation(len(digits))
learn, score = order[:300], order[300:]
means = np.stack([pixels[learn][digits[learn] == digit].mean(axis=0) for digit in range(10)])

# %%
distances = ((pixels[score][:, None, :] - means) ** 2).sum(axis=2)
found = distances.argmin(axis=1)

# %%
confusion = np.zeros((10, 10), dtype=int)
np.add.at(confusion, (digits[score], found), 1)
np.savetxt("confusion.csv", confusion, fmt="%d", delimiter=",")

# %%
metrics = {"accuracy": float((found == digits[score]).mean()), "scored": len(score)}
with open("metrics.json", "w") as out:
    json.dump(metrics, out)
metrics
