import Foundation
import HTTPTypes
import Hummingbird
import NIOFoundationCompat

/// The routes of the REST API.
struct Routes: Sendable {
    let site: Site

    func add(to router: Router<BasicRequestContext>) {
        router.post("/__control") { request, _ in try await self.control(request) }
        for version in ["2", "3"] {
            let api = router.group("/rest/api/\(version)")
            api.get("serverInfo") { _, _ in self.serverInfo }
            api.get("myself") { request, _ in self.myself(request) }
            api.get("field") { _, _ in self.fields }
            api.get("priority") { _, _ in Response.json(.array(Priority.allCases.map(self.json))) }
            api.get("status") { _, _ in Response.json(.array(Status.allCases.map(self.json))) }
            api.get("project") { request, _ in
                Response.json(.array(self.visible(request) ? self.site.projects.map(self.json) : []))
            }
            api.get("project/search") { request, _ in self.projects(request) }
            api.get("project/:project") { request, context in try self.project(request, context) }
            api.get("issue/:issue") { request, context in try self.issue(request, context) }
            api.get("issue/:issue/comment") { request, context in try self.comments(request, context) }
            api.get("issue/:issue/transitions") { request, context in try self.transitions(request, context) }
            api.get("search") { _, _ in self.gone }
            api.post("search") { _, _ in self.gone }
            api.get("search/jql") { request, _ in self.search(query: request) }
            api.post("search/jql") { request, _ in try await self.search(body: request) }
            api.post("search/approximate-count") { request, _ in try await self.count(request) }
            api.post("jql/parse") { request, _ in try await self.parse(request) }
        }
    }

    private func control(_ request: Request) async throws -> Response {
        guard let body = try await self.body(request)?.object else { return Response(status: .badRequest) }
        self.site.disturb(
            Disturbance(
                times: body["times"]?.number.map { Int($0) } ?? 1,
                delayMilliseconds: body["delay_ms"]?.number.map { Int($0) } ?? 0,
                status: body["status"]?.number.map { Int($0) },
                headers: (body["headers"]?.object ?? [:]).compactMapValues(\.string),
                body: body["body"]?.string ?? ""
            )
        )
        return Response(status: .noContent)
    }

    private func body(_ request: Request) async throws -> JSON? {
        JSON(Data(buffer: try await request.body.collect(upTo: 1 << 20)))
    }

    /// Only those who are logged in see anything.
    private func visible(_ request: Request) -> Bool {
        if case .user = Caller(request, self.site) { true } else { false }
    }

    // MARK: The site

    private var serverInfo: Response {
        .json([
            "baseUrl": .string(self.site.base), "version": "1001.0.0-SNAPSHOT", "versionNumbers": [1001, 0, 0],
            "deploymentType": "Cloud", "buildNumber": 100294, "buildDate": "2026-11-01T00:00:00.000+0000",
            "serverTime": "2026-11-24T00:00:00.000+0000", "scmInfo": "0", "serverTitle": "Jira",
        ])
    }

    private func myself(_ request: Request) -> Response {
        guard self.visible(request) else {
            return .failure(.unauthorized, ["Client must be authenticated to access this resource."])
        }
        return .json(self.json(self.site.users[0]))
    }

    private var fields: Response {
        .json(
            .array(
                ["summary", "status", "priority", "assignee", "project", "labels", "description", "created"].map {
                    [
                        "id": .string($0), "key": .string($0), "name": .string($0.capitalized), "custom": false,
                        "orderable": true, "navigable": true, "searchable": true, "clauseNames": [.string($0)],
                    ]
                }
            )
        )
    }

    private func projects(_ request: Request) -> Response {
        let projects = self.visible(request) ? self.site.projects : []
        return .json([
            "self": "\(self.site.base)/rest/api/3/project/search", "maxResults": 50, "startAt": 0,
            "total": .number(Double(projects.count)), "isLast": true, "values": .array(projects.map(self.json)),
        ])
    }

    private func project(_ request: Request, _ context: BasicRequestContext) throws -> Response {
        let name = try context.parameters.require("project")
        guard self.visible(request),
            let project = self.site.projects.first(where: { $0.key == name.uppercased() || String($0.id) == name })
        else { return .failure(.notFound, ["No project could be found with key '\(name)'."]) }
        return .json(self.json(project))
    }

    // MARK: Issues

    private func find(_ request: Request, _ context: BasicRequestContext) throws -> StoredIssue? {
        let name = try context.parameters.require("issue")
        guard self.visible(request) else { return nil }
        return self.site.issues.first { $0.key == name.uppercased() || String($0.id) == name }
    }

    private static var noIssue: Response {
        .failure(.notFound, ["Issue does not exist or you do not have permission to see it."])
    }

    private func issue(_ request: Request, _ context: BasicRequestContext) throws -> Response {
        guard let issue = try self.find(request, context) else { return Self.noIssue }
        let names = request.uri.queryParameters["fields"]?.split(separator: ",").map(String.init) ?? ["*all"]
        return .json(self.json(issue, fields: names))
    }

    private func comments(_ request: Request, _ context: BasicRequestContext) throws -> Response {
        guard let issue = try self.find(request, context) else { return Self.noIssue }
        return .json([
            "startAt": 0, "maxResults": 100, "total": .number(Double(issue.comments.count)),
            "comments": .array(
                issue.comments.enumerated().map { index, text in
                    [
                        "self": "\(self.site.base)/rest/api/3/issue/\(issue.id)/comment/\(index)",
                        "id": "\(issue.id)\(index)",
                        "author": self.json(issue.reporter), "body": Self.document(text),
                        "created": .string(issue.created),
                        "updated": .string(issue.updated), "jsdPublic": true,
                    ]
                }
            ),
        ])
    }

    private func transitions(_ request: Request, _ context: BasicRequestContext) throws -> Response {
        guard let issue = try self.find(request, context) else { return Self.noIssue }
        let others = Status.allCases.filter { $0 != issue.status }
        return .json([
            "expand": "transitions",
            "transitions": .array(
                others.map {
                    [
                        "id": "\($0.rawValue - 9990)", "name": .string($0.name), "to": self.json($0),
                        "hasScreen": false,
                        "isGlobal": true, "isInitial": false, "isAvailable": true, "isConditional": false,
                        "isLooped": false,
                    ]
                }
            ),
        ])
    }

    // MARK: Search

    private var gone: Response {
        .failure(
            .init(code: 410, reasonPhrase: "Gone"),
            [
                "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full migration "
                    + "guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
            ]
        )
    }

    private static let searchProperties: Set<String> = [
        "jql", "fields", "maxResults", "nextPageToken", "expand", "properties", "fieldsByKeys", "reconcileIssues",
    ]
    private static let badPayload = "Invalid request payload. Refer to the REST API documentation and try again."

    private func search(body request: Request) async throws -> Response {
        let data = Data(buffer: try await request.body.collect(upTo: 1 << 20))
        guard data.isEmpty == false else { return .bare("No content to map to Object due to end of input") }
        guard let json = JSON(data) else {
            return .bare("There was an error parsing JSON. Check that your request body is valid.")
        }
        guard let body = json.object, Set(body.keys).isSubset(of: Self.searchProperties) else {
            return .bare(Self.badPayload)
        }
        var maximum = 50
        switch body["maxResults"] {
        case nil: break
        case .null: maximum = 0
        case .number(let number): maximum = Int(number)
        case .string(let text):
            guard let number = Int(text) else { return .bare(Self.badPayload) }
            maximum = number
        default: return .bare(Self.badPayload)
        }
        if let expand = body["expand"], expand != .null, expand.string == nil { return .bare(Self.badPayload) }
        let fields = body["fields"]?.array?.compactMap(\.string) ?? ["id"]
        return self.search(request, body["jql"]?.string ?? "", fields, maximum, body["nextPageToken"]?.string)
    }

    /// The query string as a form: a plus is a blank.
    private func parameters(_ request: Request) -> [String: [String]] {
        var parameters: [String: [String]] = [:]
        for pair in (request.uri.query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map {
                $0.replacing("+", with: " ").removingPercentEncoding ?? ""
            }
            parameters[parts[0], default: []].append(parts.count == 2 ? parts[1] : "")
        }
        return parameters
    }

    private func search(query request: Request) -> Response {
        let parameters = self.parameters(request)
        var maximum = 50
        if let text = parameters["maxResults"]?.last {
            guard let number = Int(text) else {
                return .problem(.badRequest, "Failed to convert 'maxResults' with value: '\(text)'", request.uri.path)
            }
            maximum = number
        }
        let fields = (parameters["fields"] ?? []).flatMap { $0.split(separator: ",").map(String.init) }
        return self.search(
            request,
            parameters["jql"]?.last ?? "",
            fields.isEmpty ? ["id"] : fields,
            maximum,
            parameters["nextPageToken"]?.last
        )
    }

    /// A page token names the query that it belongs to and where to go on.
    private static func token(_ jql: String, _ start: Int) -> String {
        Data("\(jql.utf8.reduce(UInt64(5381)) { $0 &* 33 &+ UInt64($1) }):\(start)".utf8).base64EncodedString()
    }

    private func search(
        _ request: Request,
        _ jql: String,
        _ fields: [String],
        _ maximum: Int,
        _ pageToken: String?
    ) -> Response {
        var start = 0
        if let pageToken {
            guard let data = Data(base64Encoded: pageToken), let text = String(data: data, encoding: .utf8),
                let position = text.split(separator: ":").last.flatMap({ Int($0) }),
                Self.token(jql, position) == pageToken
            else { return .failure(.badRequest, ["The provided nextPageToken is invalid or has expired."]) }
            start = position
        }
        guard (1...5000).contains(maximum) else {
            return .failure(.badRequest, ["The maxResults parameter must be between 1 and 5,000."])
        }
        let found: [StoredIssue]
        switch self.run(jql, request) {
        case .success(let issues): found = issues
        case .failure(let failure): return .failure(.badRequest, [failure.message])
        }
        // Pages are shorter than asked for when many fields are wanted.
        let page = found.dropFirst(start).prefix(min(maximum, fields.contains("*all") ? 100 : 5000))
        let end = start + page.count
        var body: [String: JSON] = [
            "issues": .array(page.map { self.json($0, fields: fields) }), "isLast": .bool(end >= found.count),
        ]
        if end < found.count {
            body["nextPageToken"] = .string(Self.token(jql, end))
        }
        return .json(.object(body))
    }

    private func run(_ jql: String, _ request: Request) -> Result<[StoredIssue], Query.Failure> {
        do {
            let query = try Query(jql, currentUser: self.site.users[0], site: self.site)
            guard query.isUnbounded == false else {
                return .failure(
                    .init(
                        message:
                            "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."
                    )
                )
            }
            return .success(self.visible(request) ? query.results(self.site.issues) : [])
        } catch let failure as Query.Failure {
            // Those who are not logged in find nothing, rather than learn what there is.
            let names = failure.message.hasPrefix("The value") || failure.message.hasPrefix("Field")
            return names && self.visible(request) == false ? .success([]) : .failure(failure)
        } catch {
            return .failure(.init(message: "Error in the JQL Query."))
        }
    }

    private func count(_ request: Request) async throws -> Response {
        let jql = try await self.body(request)?["jql"]?.string ?? ""
        switch self.run(jql, request) {
        case .success(let issues): return .json(["count": .number(Double(issues.count))])
        case .failure(let failure): return .failure(.badRequest, [failure.message])
        }
    }

    private func parse(_ request: Request) async throws -> Response {
        let queries = try await self.body(request)?["queries"]?.array?.compactMap(\.string) ?? []
        return .json([
            "queries": .array(
                queries.map { query in
                    var result: [String: JSON] = ["query": .string(query)]
                    if case .failure(let failure) = self.run(query, request) {
                        result["errors"] = [.string(failure.message)]
                    }
                    return .object(result)
                }
            )
        ])
    }

    // MARK: Shapes

    private func json(_ user: User) -> JSON {
        [
            "self": "\(self.site.base)/rest/api/3/user?accountId=\(user.accountID)",
            "accountId": .string(user.accountID),
            "accountType": "atlassian", "emailAddress": .string(user.email), "displayName": .string(user.name),
            "active": true, "timeZone": "Etc/UTC",
        ]
    }

    private func json(_ project: Project) -> JSON {
        [
            "self": "\(self.site.base)/rest/api/3/project/\(project.id)", "id": "\(project.id)",
            "key": .string(project.key),
            "name": .string(project.name), "projectTypeKey": "software", "simplified": false,
        ]
    }

    private func json(_ priority: Priority) -> JSON {
        [
            "self": "\(self.site.base)/rest/api/3/priority/\(priority.rawValue)", "id": "\(priority.rawValue)",
            "name": .string(priority.name), "iconUrl": "\(self.site.base)/images/priority.svg",
        ]
    }

    private func json(_ status: Status) -> JSON {
        let category = status.category
        return [
            "self": "\(self.site.base)/rest/api/3/status/\(status.rawValue)", "id": "\(status.rawValue)",
            "name": .string(status.name), "description": "", "iconUrl": "\(self.site.base)/images/status.png",
            "statusCategory": [
                "self": "\(self.site.base)/rest/api/3/statuscategory/\(category.id)",
                "id": .number(Double(category.id)),
                "key": .string(category.key), "colorName": .string(category.color), "name": .string(category.name),
            ],
        ]
    }

    /// A text in the Atlassian Document Format.
    private static func document(_ text: String) -> JSON {
        [
            "version": 1, "type": "doc",
            "content": [["type": "paragraph", "content": [["type": "text", "text": .string(text)]]]],
        ]
    }

    private func json(_ issue: StoredIssue, fields: [String]) -> JSON {
        var result: [String: JSON] = ["id": "\(issue.id)"]
        if fields == ["id"] { return .object(result) }
        result["key"] = .string(issue.key)
        result["self"] = "\(self.site.base)/rest/api/3/issue/\(issue.id)"
        result["expand"] = "renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations"
        let all: [String: JSON] = [
            "summary": .string(issue.summary), "project": self.json(issue.project), "status": self.json(issue.status),
            "issuetype": [
                "self": "\(self.site.base)/rest/api/3/issuetype/1", "id": "1", "name": .string(issue.type),
                "subtask": false,
                "hierarchyLevel": 0, "description": "", "iconUrl": "\(self.site.base)/images/type.svg",
            ],
            "priority": issue.priority.map(self.json) ?? .null, "assignee": issue.assignee.map(self.json) ?? .null,
            "reporter": self.json(issue.reporter), "labels": .array(issue.labels.map(JSON.string)),
            "description": issue.description.map(Self.document) ?? .null, "created": .string(issue.created),
            "updated": .string(issue.updated), "duedate": issue.duedate.map(JSON.string) ?? .null,
            "resolution": issue.status == .done ? ["id": "10000", "name": "Done", "description": ""] : .null,
        ]
        let wantsAll = fields.contains("*all") || fields.contains("*navigable")
        let chosen = all.filter { (wantsAll || fields.contains($0.key)) && fields.contains("-\($0.key)") == false }
        result["fields"] = .object(chosen)
        return .object(result)
    }
}
