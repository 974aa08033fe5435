"""The fuzzer of the probe: what has to hold of any bytes, what it begins with, and what it has found."""
