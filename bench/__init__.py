"""Measure the executable and the service beside their competitors: `make bench`, `make budgets`."""
