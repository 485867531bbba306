-- Sends prepared requests in their order: argument 1 is a file of them with a NUL after each, argument 2 is `once`
-- when none of them may be sent again. What was measured goes out as one line of JSON.
local requests, once, next_one = {}, false, 0

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  for request in file:read("*a"):gmatch("[^%z]+") do
    requests[#requests + 1] = request
  end
  file:close()
  once = arguments[2] == "once"
end

function request()
  if next_one == #requests then
    if once then
      wrk.thread:stop()
    end
    next_one = 0
  end
  next_one = next_one + 1
  return requests[next_one]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "p50": %.6f, "p99": %.6f, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
