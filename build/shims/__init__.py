"""Modules that take the place of others in the executable, because those would look for files.

The build writes the text that a shim needs into it, as DATA: see `shim` in bootloader/freezing.py.
"""
