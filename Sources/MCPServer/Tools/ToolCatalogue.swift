import JSON
import MCP
import Synchronization

/// All tools of a server, in the order of declaration.
///
/// A call costs the same with ten tools as with thousands.
final class ToolCatalogue: Sendable {
    /// A tool and what is set about it.
    ///
    /// A class, because every call looks one up, and copying all this costs more than the look-up.
    final class Entry: Sendable {
        let tool: RegisteredTool
        let timeout: Duration?
        let task: ConfiguredTool.TaskOptions?

        init(tool: RegisteredTool, timeout: Duration?, task: ConfiguredTool.TaskOptions?) {
            self.tool = tool
            self.timeout = timeout
            self.task = task
        }
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
    private let rendered = Mutex<[ListKey: [JSONValue]]>([:])
    private static let maximumRendered = 64

    init(_ tools: [ConfiguredTool], naming: ToolNaming) {
        self.entries = tools.map {
            Entry(tool: $0.make(naming, $0.task?.support ?? .forbidden), timeout: $0.timeout, task: $0.task)
        }
        self.hasHeaderParameters = self.entries.contains { $0.tool.headerParameters.isEmpty == false }
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

    /// Whether a tool can run as a task.
    var hasTasks: Bool {
        self.entries.contains { $0.task != nil }
    }

    /// Whether a tool has arguments that are repeated in headers.
    let hasHeaderParameters: Bool

    /// Whether a tool's answers are shown by a page of an MCP App.
    var hasApps: Bool {
        self.entries.contains { $0.tool.definition.meta["ui"] != nil }
    }

    /// The tools that the filter lets through, as `tools/list` shows them.
    func list(_ codec: Codec, where isVisible: (RegisteredTool) -> Bool) -> [JSONValue] {
        let visible = self.entries.indices.filter { isVisible(self.entries[$0].tool) }
        let key = ListKey(revision: codec.revision.name, visible: visible)
        return self.rendered.withLock { rendered in
            if let list = rendered[key] { return list }
            let list = visible.map { JSONValue.object(codec.json(self.entries[$0].tool.definition)) }
            if rendered.count >= Self.maximumRendered {
                rendered.removeAll()
            }
            rendered[key] = list
            return list
        }
    }
}
