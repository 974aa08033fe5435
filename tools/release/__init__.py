"""Build, check and publish a release: `make release-check`, .github/workflows/release.yml."""
