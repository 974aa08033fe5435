"""What tests and benchmarks share. Each module says what it offers; nothing here imports a test or a benchmark.

Servers: servers, tls_servers, alerts, certificates, untrusted, responses.
The programs: program, executable, service, checks, containers, freezing, elf.
Where they run: network, clock, limits, privileges, deadlines, waiting.
The documentation: blocks, sessions, messages, troubleshooting; project has the project's files.
The fuzzer: fuzz, with arguments and responses as its first inputs.
"""
