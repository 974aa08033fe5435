"""HTTP/1.1 as bytes: requests out, responses in. No input or output here."""
