"""Connections under a deadline: addresses, TCP, TLS. Errors of the system become ours here."""
