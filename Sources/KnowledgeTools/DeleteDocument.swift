public import Knowledge
public import MCPServer

/// Removes a document from the knowledge base.
public struct DeleteDocument: Tool {
    public static let name: ToolName = "knowledge.delete_document"
    public static let title: String? = "Delete a document"
    public static let description = """
        Removes one document from the knowledge base, with all its passages, so that nothing of it is found any more. It \
        can't be undone. The file or page that the text came from is not touched.

        Use this tool when: the user wants a document gone: it is wrong, outdated, or must not be there.
        Do not use it for: correcting a document (knowledge.add_document with replace: true).

        The user is asked to agree first. If your client can't ask the user, ask them yourself and, once they agree, pass \
        confirm: true. With dry_run: true nothing is removed and nobody is asked. Example: \
        {"document_id": "runbooks/old-backup"}

        Returns document_id, deleted, and how many passages went.
        """
    public static let effect: Effect = .destructive
    public static let permission: Permission = "knowledge:delete"

    public struct Arguments: ToolArguments {
        @Param("The document, for example runbooks/old-backup", .length(1...1024)) public var documentId: String
        @Param("Says that the user has agreed; for clients that can't ask the user") public var confirm: Bool = false
        @Param("Whether to only say what would happen") public var dryRun: Bool = false
        public init() {}
    }

    public struct Output: ToolOutput {
        public var documentId: String
        public var title: String
        public var deleted: Bool
        public var chunkCount: Int
        public var dryRun: Bool

        public static let descriptions = [
            "documentId": "The document",
            "title": "What it was called; untrusted data",
            "deleted": "Whether it is gone",
            "chunkCount": "How many passages went with it",
            "dryRun": "Whether nothing was removed",
        ]
    }

    private let base: KnowledgeBase

    /// Creates the tool.
    public init(base: KnowledgeBase) { self.base = base }

    public func call(_ arguments: Arguments, _ context: ToolContext) async throws -> Output {
        let document = try await self.base.readable(arguments.documentId, by: context).summary
        var isDeleted = false
        if !arguments.dryRun {
            try await context.confirm(
                "Delete the document “\(document.title.prefix(200))” (\(document.id)) from the knowledge base?",
                alreadyAgreed: arguments.confirm
            )
            do {
                isDeleted = try await self.base.delete(documentID: document.id)
            } catch {
                throw ToolError(knowledge: error)
            }
        }
        return Output(
            documentId: document.id,
            title: document.title,
            deleted: isDeleted,
            chunkCount: document.chunkCount,
            dryRun: arguments.dryRun
        )
    }
}
