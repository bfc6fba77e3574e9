-- For wrk: posts one body again and again, and prints what came of it as JSON. PEER_BODY is the body's file, PEER_TOKEN a bearer token.
local file = io.open(os.getenv("PEER_BODY"), "rb")
wrk.method = "POST"
wrk.body = file:read("*a")
file:close()
wrk.headers["Content-Type"] = "application/json"
if os.getenv("PEER_TOKEN") ~= "" then wrk.headers["Authorization"] = "Bearer " .. os.getenv("PEER_TOKEN") end

function done(summary, latency, requests)
  local bad = summary.errors.status + summary.errors.read + summary.errors.write + summary.errors.connect + summary.errors.timeout
  io.write(string.format('{"p50": %f, "p99": %f, "requests": %d, "seconds": %f, "bad": %d}\n',
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, summary.requests, summary.duration / 1e6, bad))
end
