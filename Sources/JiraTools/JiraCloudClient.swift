import Foundation
import JSON
import MCPServer
public import Upstream

/// Jira Cloud, REST API v3.
public struct JiraCloudClient: JiraClient {
    private let configuration: JiraConfiguration
    private let upstream: any HTTPUpstream
    private let retry: RetryPolicy

    /// The most pages of one call.
    ///
    /// One page has room for all that is asked for; Jira gives more of them when it leaves out what may not be seen.
    static let maximumPages = 20

    /// - Parameters:
    ///   - configuration: Where Jira is and who asks.
    ///   - upstream: What sends requests.
    ///   - retry: When a request is sent again.
    ///   - token: A token that may change while the process runs; that of the configuration doesn't.
    public init(
        configuration: JiraConfiguration,
        upstream: any HTTPUpstream,
        retry: RetryPolicy = RetryPolicy(),
        token: Credential? = nil
    ) {
        self.configuration = configuration
        self.retry = retry
        self.upstream = AuthorizingUpstream(
            upstream,
            credential: token ?? Credential(configuration.token),
            isRefusal: { $0.status == 401 || $0.header(Self.loginHeader).map(Self.isLoggedIn) == false },
            authorization: { "Basic " + Data("\(configuration.user):\($0)".utf8).base64EncodedString() }
        )
    }

    private static let loginHeader = "X-Seraph-LoginReason"

    public func issues(jql: String, maximum: Int, deadline: ContinuousClock.Instant) async throws -> [JiraIssue] {
        var issues: [JiraIssue] = []
        var seen: Set<String> = []
        var pageToken: String?
        for _ in 0..<Self.maximumPages {
            let page = try await self.search(jql, maximum - issues.count, pageToken, deadline)
            issues += (page["issues"]?.arrayValue ?? []).map(JiraIssue.init)
            pageToken = page["nextPageToken"]?.stringValue
            guard let pageToken, issues.count < maximum else { return Array(issues.prefix(maximum)) }
            guard seen.insert(pageToken).inserted else { throw Self.endless("the same page again") }
        }
        throw Self.endless("\(Self.maximumPages) pages with \(issues.count) issues")
    }

    private static func endless(_ what: String) -> ToolError {
        ToolError(
            .upstreamError,
            "Jira's answer has no end: it gives \(what), and says that there is more.",
            suggestedAction: "Narrow jql_filter, or ask for fewer issues with max_results."
        )
    }

    private func search(
        _ jql: String,
        _ count: Int,
        _ pageToken: String?,
        _ deadline: ContinuousClock.Instant
    ) async throws -> JSONValue {
        var body: JSONObject = [
            "jql": .string(jql), "maxResults": .integer(count),
            "fields": ["summary", "status", "priority", "assignee", "project"],
        ]
        if let pageToken {
            body["nextPageToken"] = .string(pageToken)
        }
        // A search changes nothing, so it may be sent again.
        return try await self.send("POST", "/rest/api/3/search/jql", body, deadline)
    }

    public func hasProject(_ key: String, deadline: ContinuousClock.Instant) async throws -> Bool {
        do {
            _ = try await self.send("GET", "/rest/api/3/project/\(key)", nil, deadline)
            return true
        } catch let error as ToolError where error.code == .notFound {
            return false
        }
    }

    /// Sends a request that may be sent again.
    private func send(
        _ method: String,
        _ path: String,
        _ body: JSONObject?,
        _ deadline: ContinuousClock.Instant
    ) async throws -> JSONValue {
        var headers = [(name: "Accept", value: "application/json")]
        if body != nil {
            headers.append((name: "Content-Type", value: "application/json"))
        }
        let request = UpstreamRequest(
            method: method,
            url: self.configuration.baseURL + path,
            headers: headers,
            body: body.map { JSONValue.object($0).serialized() },
            deadline: deadline
        )
        let response: UpstreamResponse
        do {
            response = try await self.retry.send(request, over: self.upstream)
        } catch let error as UpstreamError {
            throw ToolError(
                error.code == .timedOut ? .timeout : .upstreamUnavailable,
                "Jira could not be reached: \(error.message)",
                retryable: error.code != .bodyTooLarge,
                suggestedAction: "Try again later; if it stays so, those who run the server should look at JIRA_URL.",
                cause: error
            )
        }
        return try Self.result(of: response)
    }

    /// The body of a good answer; a bad one becomes an error by its status and headers, never by its text, which Jira
    /// writes in the account's language.
    static func result(of response: UpstreamResponse) throws(ToolError) -> JSONValue {
        // With a wrong token Jira answers as if nobody had logged in, often with 200 and nothing found.
        if let reason = response.header(Self.loginHeader), Self.isLoggedIn(reason) == false {
            throw Self.notLoggedIn
        }
        switch response.status {
        case 200..<300:
            guard let json = response.json, json.objectValue != nil else { throw Self.notLoggedIn }
            return json
        case 400:
            throw ToolError(
                .invalidArguments,
                "Jira refuses the query: \(Self.messages(response))",
                suggestedAction: "Correct jql_filter: field names, values in quotes, no project clause.",
                mistakes: [.init(pointer: JSONPointer().appending("jql_filter"), message: Self.messages(response))]
            )
        case 401:
            throw Self.notLoggedIn
        case 403:
            throw ToolError(.forbidden, "Jira refuses: \(Self.messages(response))", upstreamStatus: 403)
        case 404:
            throw ToolError(.notFound, "Jira does not find it: \(Self.messages(response))", upstreamStatus: 404)
        case 410:
            throw ToolError(.upstreamError, "This Jira no longer offers the search that the server uses.")
        case 429:
            throw ToolError(
                .rateLimited,
                "Jira limits how often it is asked.",
                retryable: true,
                retryAfter: response.retryAfter ?? .seconds(30),
                suggestedAction: "Wait, then call again."
            )
        case 500...:
            throw ToolError(
                .upstreamUnavailable,
                "Jira has a problem of its own (status \(response.status)).",
                retryable: true,
                retryAfter: response.retryAfter,
                suggestedAction: "Try again later.",
                upstreamStatus: response.status
            )
        default:
            throw ToolError(
                .upstreamError,
                "Jira answered with status \(response.status).",
                upstreamStatus: response.status
            )
        }
    }

    /// Whether `X-Seraph-LoginReason` says OK and nothing else.
    ///
    /// The others, such as AUTHENTICATED_FAILED, all mean nobody. A header that came twice holds a list.
    private static func isLoggedIn(_ reason: String) -> Bool {
        reason.split(separator: ",", omittingEmptySubsequences: false)
            .allSatisfy { $0.trimmingPrefix(while: \.isWhitespace) == "OK" }
    }

    private static var notLoggedIn: ToolError {
        ToolError(
            .unauthenticated,
            "Jira does not accept the server's credentials.",
            suggestedAction: "Those who run the server should check JIRA_USER and JIRA_TOKEN."
        )
    }

    /// What Jira says, from whichever of its shapes it has: cut, since it may be a page of HTML or anything else.
    private static func messages(_ response: UpstreamResponse) -> String {
        guard let json = response.json else { return "status \(response.status)." }
        var texts = (json["errorMessages"]?.arrayValue ?? []).compactMap(\.stringValue)
        texts += (json["errors"]?.objectValue ?? [:]).map { "\($0.key): \($0.value.stringValue ?? "")" }
        texts += ["detail", "message", "error"].compactMap { json[$0]?.stringValue }
        let text = texts.joined(separator: " ")
        return text.isEmpty ? "status \(response.status)." : String(text.prefix(500))
    }
}

extension JiraIssue {
    init(_ json: JSONValue) {
        let fields = json["fields"]
        self.init(
            key: json["key"]?.stringValue ?? "",
            projectKey: fields?["project"]?["key"]?.stringValue,
            summary: fields?["summary"]?.stringValue ?? "",
            status: fields?["status"]?["name"]?.stringValue ?? "",
            priority: fields?["priority"]?["name"]?.stringValue,
            assignee: fields?["assignee"]?["displayName"]?.stringValue
        )
    }
}
