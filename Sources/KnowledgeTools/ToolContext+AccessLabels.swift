import Knowledge
import MCPServer

extension ToolContext {
    /// The labels of the documents that the principal may read.
    var accessLabels: AccessLabels {
        self.reach.names(of: .documentLabel).map(AccessLabels.only) ?? .all
    }
}
