"""accountservice: a small HTTP service over an embedded key-value store, and the first target of the probe."""
