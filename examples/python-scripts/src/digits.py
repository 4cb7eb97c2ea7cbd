"""What the scripts share: how a table of digits is read."""

import pandas


def read(path):
    """The pixels and the labels of a table."""
    table = pandas.read_csv(path)
    return table.drop(columns="digit").to_numpy(), table["digit"].to_numpy()
