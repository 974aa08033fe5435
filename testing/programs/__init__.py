"""Programs that tests freeze."""
