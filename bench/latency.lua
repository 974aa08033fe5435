-- What wrk measured, as JSON: requests per second, latencies in microseconds, and what went wrong.
function done(summary, latency, requests)
    local wrong = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status +
        summary.errors.timeout
    io.write(string.format('{"requests": %.1f, "p50": %d, "p99": %d, "p99.9": %d, "errors": %d}\n',
        summary.requests / (summary.duration / 1e6), latency:percentile(50), latency:percentile(99),
        latency:percentile(99.9), wrong))
end
