"""What tests and benchmarks share. Nothing here imports a test or a benchmark.

- Servers: servers, tls_servers, alerts, certificates, untrusted, responses
- The programs: program, executable, service, checks, arguments, containers, freezing, elf
- Where they run: network, clock, limits, privileges; deadlines and waiting for how long
- The project and its documentation: project, blocks, sessions, messages, troubleshooting
- The fuzzer: fuzz
"""
