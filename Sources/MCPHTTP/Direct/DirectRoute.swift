import HTTPTypes
import MCP
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Which requests are answered on their channel, and what all their answers carry.
public struct DirectRoute: Sendable {
    private let path: String
    private let serverName: String?
    private let tellsRequestID: Bool
    private let date = HTTPDate()

    /// - Parameters:
    ///   - path: Where the endpoint is.
    ///   - serverName: The `Server` header of the answers, if they have one.
    ///   - tellsRequestID: Whether answers carry the id under which the log knows the request, as `X-Request-Id`.
    public init(path: String = "/mcp", serverName: String? = nil, tellsRequestID: Bool = false) {
        self.path = path
        self.serverName = serverName
        self.tellsRequestID = tellsRequestID
    }

    /// The headers of a request, if it is a small tool call of 2026-07-28 or later from a program.
    ///
    /// Requests of web pages (`Origin`), and those that want something special of the connection, are not.
    func headers(ofCall head: HTTPRequest) -> MessageHeaders? {
        guard head.method == .post, head.path == self.path else { return nil }
        let headers = MessageHeaders(head.headerFields)
        guard headers.method == "tools/call", headers.revision?.supports(.statelessEnvelope) == true,
            headers.origin == nil, headers.wantsMoreOfConnection == false,
            let bytes = headers.contentLength.flatMap({ Int($0) }), bytes <= DirectCallHandler.maximumBodyBytes
        else { return nil }
        return headers
    }

    /// Adds what answers carry that the endpoint doesn't give them.
    func complete(_ fields: inout HTTPFields, _ requestID: String) {
        fields.append(HTTPField(name: .date, value: self.date.now))
        if let serverName { fields.append(HTTPField(name: .server, value: serverName)) }
        if self.tellsRequestID { fields.append(HTTPField(name: .xRequestID, value: requestID)) }
    }
}

/// The time as HTTP writes it, made once a second.
///
/// Specification: RFC 9110 section 5.6.7.
final class HTTPDate: Sendable {
    private let last = Mutex((second: 0, text: ""))

    var now: String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let second = time.tv_sec
        return self.last.withLock { last in
            if last.second != second { last = (second, Self.text(of: second)) }
            return last.text
        }
    }

    static func text(of second: Int) -> String {
        var (second, parts) = (time_t(second), tm())
        gmtime_r(&second, &parts)
        let day = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][Int(parts.tm_wday)]
        let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][
            Int(parts.tm_mon)
        ]
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let time = "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
        return "\(day), \(two(parts.tm_mday)) \(month) \(parts.tm_year + 1900) \(time) GMT"
    }
}
