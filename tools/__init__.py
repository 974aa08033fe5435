"""The programs that make and CI call."""
