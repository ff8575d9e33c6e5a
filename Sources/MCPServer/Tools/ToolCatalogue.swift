import JSON
import MCP
import Synchronization

/// All tools of a server, in the order of declaration.
///
/// A call costs the same with ten tools as with thousands.
final class ToolCatalogue: Sendable {
    struct Entry: Sendable {
        let tool: RegisteredTool
        let timeout: Duration?
    }

    private struct ListKey: Hashable {
        var revision: String
        /// The indexes of the tools that are visible.
        var visible: [Int]
    }

    let entries: [Entry]
    private let indexes: [String: Int]
    /// Lists as rendered before, by revision and by what is visible.
    ///
    /// Roles are few; the bound is for what isn't foreseen.
    private let rendered = Mutex<[ListKey: JSONValue]>([:])
    private static let maximumRendered = 64

    init(_ tools: [ConfiguredTool], naming: ToolNaming) {
        self.entries = tools.map { Entry(tool: $0.make(naming), timeout: $0.timeout) }
        self.indexes = Dictionary(
            self.entries.enumerated().map { ($1.tool.definition.name, $0) },
            uniquingKeysWith: { first, second in
                preconditionFailure("Two tools are named \(first) and \(second) alike.")
            }
        )
    }

    func entry(named name: String) -> Entry? {
        self.indexes[name].map { self.entries[$0] }
    }

    var names: [String] {
        self.entries.map(\.tool.definition.name)
    }

    /// The `tools` member of `tools/list`, of those tools that the filter lets through.
    func list(_ codec: Codec, where isVisible: (RegisteredTool) -> Bool) -> JSONValue {
        let visible = self.entries.indices.filter { isVisible(self.entries[$0].tool) }
        let key = ListKey(revision: codec.revision.name, visible: visible)
        return self.rendered.withLock { rendered in
            if let list = rendered[key] { return list }
            let list = JSONValue.array(visible.map { .object(codec.json(self.entries[$0].tool.definition)) })
            if rendered.count >= Self.maximumRendered {
                rendered.removeAll()
            }
            rendered[key] = list
            return list
        }
    }
}
