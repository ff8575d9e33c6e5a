import Hummingbird
import MCPServer

/// What is known of a REST request: who sends it.
struct GantryRequestContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Who sends the request, once ``AuthenticationMiddleware`` has found out.
    var principal = Principal(id: "nobody", scopes: [])

    init(source: ApplicationRequestContextSource) {
        self.coreContext = CoreRequestContextStorage(source: source)
    }
}
