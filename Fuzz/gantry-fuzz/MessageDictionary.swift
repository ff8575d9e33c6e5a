/// Parts of messages.
let messageDictionary =
    [
        "jsonrpc", "id", "method", "params", "_meta", "name", "arguments", "result", "error", "code", "message", "data",
        "protocolVersion", "capabilities", "clientInfo", "progressToken", "requestId", "cursor", "uri", "traceparent",
        "io.modelcontextprotocol/protocolVersion", "io.modelcontextprotocol/clientCapabilities",
        "io.modelcontextprotocol/clientInfo", "io.modelcontextprotocol/logLevel", "text", "colour", "factor", "note",
        "sizes", "width", "unit", "to", "task", "ttl", "taskId", "requestState", "inputResponses", "ref", "argument",
        "value", "context", "notifications", "toolsListChanged", "resourceSubscriptions", "taskIds", "level", "more",
        "region", "count", "urgent", "elicitation", "sampling", "roots", "extensions", "io.modelcontextprotocol/tasks",
    ].map { "\"\($0)\":" }
    + [
        "2.0", "2026-07-28", "2025-11-25", "2025-06-18", "2024-11-05", "initialize", "server/discover", "tools/list",
        "tools/call", "ping", "prompts/get", "resources/read", "logging/setLevel", "notifications/initialized",
        "notifications/cancelled", "echo", "count.up", "count_up", "red", "x",
        "2025-03-26", "prompts/list", "resources/list", "resources/templates/list", "resources/subscribe",
        "resources/unsubscribe", "completion/complete", "subscriptions/listen", "tasks/get", "tasks/update",
        "tasks/cancel", "tasks/list", "tasks/result", "ref/prompt", "ref/resource", "route", "ask", "ask.later", "work",
        "greeting", "fuzz://note", "fuzz://page/one/a/b", "fuzz://page/{chapter}/{+rest}", "accept", "decline", "info",
    ].map { "\"\($0)\"" }
    + [
        #"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, #",{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#,
        "null", "true", "{}", "[]", "1", "-1", "0.5", "1.0", "1e400", "9223372036854775807", "12345678901234567890",
        "\"\\ud800\"", "\\u0000", "é", "e\u{301}", "😀", ",", "\u{FEFF}",
        #""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"},"#,
    ]
