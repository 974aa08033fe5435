"""What the tests and the benchmarks share: servers, certificates, networks, a clock, and ways to run the programs."""
