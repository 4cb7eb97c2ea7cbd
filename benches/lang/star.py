"""Evaluates a Starlark file with starlark-rust and prints the value of its last expression as JSON."""

import json
import sys

import starlark

with open(sys.argv[1]) as file:
    program = starlark.parse(sys.argv[1], file.read())
value = starlark.eval(starlark.Module(), program, starlark.Globals.standard())
print(json.dumps(value))
