import Hummingbird
import JSON
import MCPServer
import Synchronization

/// What is known of a REST request: who sends it.
struct GantryRequestContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// What a route knows of the request that its record should hold.
    let details = RequestDetails()
    /// Who sends the request, once ``AuthenticationMiddleware`` has found out.
    var principal = Principal(id: "nobody", scopes: [])

    init(source: ApplicationRequestContextSource) {
        self.coreContext = CoreRequestContextStorage(source: source)
    }
}

/// Facts about a request that are found out while it is answered.
final class RequestDetails: Sendable {
    private let facts = Mutex<JSONObject>([:])

    subscript(name: String) -> JSONValue? {
        get { self.facts.withLock { $0[name] } }
        set { self.facts.withLock { $0[name] = newValue } }
    }

    /// Adds the facts to the arguments of a record.
    func add(to record: inout CallRecord) {
        for (name, value) in self.facts.withLock({ $0 }) { record.arguments[name] = value }
    }
}
