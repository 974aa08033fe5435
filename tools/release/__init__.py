"""What a release consists of, and whether this tree may be one: `make release-check`, .github/workflows/release.yml."""
