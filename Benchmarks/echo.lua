-- Calls the echo tool with a text of its own each time. ECHO_BYTES is about how long the text is, ECHO_AUTHORIZATION what
-- the Authorization header says, if there is one.
local bytes = tonumber(os.getenv("ECHO_BYTES") or "10")
local unit = 'Die Warteschlange \\"Aufträge\\" wächst; größer als üblich, obwohl niemand etwas geändert hat.\\n'
local text = string.rep(unit, math.floor(bytes / #unit)) .. "hello "
local envelope = '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",'
  .. '"io.modelcontextprotocol/clientCapabilities":{}}'
local count = 0

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Accept"] = "application/json, text/event-stream"
wrk.headers["MCP-Protocol-Version"] = "2026-07-28"
wrk.headers["Mcp-Method"] = "tools/call"
wrk.headers["Mcp-Name"] = "echo"
local authorization = os.getenv("ECHO_AUTHORIZATION") or ""
if authorization ~= "" then wrk.headers["Authorization"] = authorization end

request = function()
  count = count + 1
  local params = '{"name":"echo","arguments":{"text":"' .. text .. count .. '"},' .. envelope .. "}"
  local body = '{"jsonrpc":"2.0","id":' .. count .. ',"method":"tools/call","params":' .. params .. "}"
  return wrk.format(nil, "/mcp", nil, body)
end

done = function(summary)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format("RESULT %d %d %d\n", summary.requests, failed, summary.duration))
end
