"""Programs that the tests freeze, beside healthchecker."""
