import Foundation
public import JSON
public import Knowledge
public import MCPServer

/// Brings a text into the knowledge base.
public struct AddDocument: Tool {
    public static let name: ToolName = "knowledge.add_document"
    public static let title: String? = "Add a document"
    public static let description = """
        Brings one text into the knowledge base, so that knowledge.query finds it from then on.

        Use this tool when: the user wants something written down for later: a decision, a runbook, notes of an incident.
        Do not use it for: files and folders (the operator brings them in with gantry ingest or an upload), secrets, or \
        your own intermediate notes.

        Write Markdown with headings: passages are cut along them. Calling again with the same content changes nothing. A \
        document of the same document_id with another content is only replaced with replace: true. With dry_run: true \
        nothing is written, and the answer says what would happen. Example: {"title": "Rotate the signing key", "text": \
        "# Rotate the signing key\\n\\n1. …", "document_id": "runbooks/signing-key"}

        Returns document_id, outcome (added, updated or unchanged) and how many passages it has.
        """
    public static let effect: Effect = .write(idempotent: true)
    public static let permission: Permission = "knowledge:write"

    public enum Format: String, ToolEnum { case markdown, text }

    public struct Arguments: ToolArguments {
        @Param("Title of the document", .length(1...300)) public var title: String
        @Param("The text, as Markdown unless format says otherwise", .length(1...1_000_000)) public var text: String
        @Param(
            "What to call it, for example runbooks/signing-key; made from the content without",
            .check { $0 == nil || $0.map(AddDocument.isIdentifier) == true ? nil : AddDocument.identifierExpectation }
        )
        public var documentId: String?
        @Param("Where the text comes from, for citing: a path or an address; document_id without")
        public var source: String?
        @Param("Facts about the document, for example {\"team\": \"platform\", \"severity\": 2}")
        public var metadata: [String: JSONValue] = [:]
        @Param("Who may read it: principals with one of these labels; everybody without", .count(0...32))
        public var accessLabels: [String] = []
        @Param("markdown, or text for plain text without markup") public var format: Format = .markdown
        @Param("Whether a document of the same id with another content is replaced") public var replace: Bool = false
        @Param("Whether to only say what would happen") public var dryRun: Bool = false
        public init() {}
    }

    public struct Output: ToolOutput {
        public var documentId: String
        public var uri: String
        public var outcome: String
        public var chunkCount: Int
        public var contentHash: String
        public var dryRun: Bool

        public static let descriptions = [
            "documentId": "What the document is called in the index",
            "uri": "The same document as an MCP resource",
            "outcome": "added, updated, or unchanged when the index already holds exactly this",
            "chunkCount": "How many passages the document has",
            "contentHash": "Fingerprint of the content",
            "dryRun": "Whether nothing was written",
        ]
    }

    private let base: KnowledgeBase

    /// Creates the tool.
    public init(base: KnowledgeBase) { self.base = base }

    public func call(_ arguments: Arguments, _ context: ToolContext) async throws -> Output {
        try Self.checkMetadata(arguments.metadata)
        try self.checkLabels(arguments.accessLabels, context)
        do {
            let document = try await self.document(arguments)
            try await self.checkReplacement(of: document, arguments, context)
            let result = try await self.base.add(document, isDryRun: arguments.dryRun) { count, total in
                context.progress(Double(count), total: Double(total), message: "Passages embedded")
            }
            return Output(
                documentId: document.id,
                uri: DocumentResources.uri(of: document.id),
                outcome: result.outcome.name,
                chunkCount: result.chunkCount,
                contentHash: result.contentHash,
                dryRun: arguments.dryRun
            )
        } catch let error as KnowledgeError {
            throw ToolError(knowledge: error)
        }
    }

    private func document(_ arguments: Arguments) async throws(KnowledgeError) -> Document {
        var metadata: JSONObject = [:]
        for key in arguments.metadata.keys.sorted() { metadata[key] = arguments.metadata[key] }
        let id =
            arguments.documentId ?? "notes/" + KnowledgeBase.fingerprint(of: arguments.title, arguments.text).prefix(16)
        var document = try await self.base.structured(
            arguments.text,
            id: id,
            title: arguments.title,
            source: arguments.source ?? id,
            isMarkdown: arguments.format == .markdown
        )
        document.metadata = metadata
        document.accessLabels = Set(arguments.accessLabels)
        return document
    }

    /// Refuses to put a document in the place of another one unless that is meant, or of one that can't be seen.
    private func checkReplacement(
        of document: Document,
        _ arguments: Arguments,
        _ context: ToolContext
    ) async throws {
        guard let present = try await self.base.document(id: document.id) else { return }
        guard context.accessLabels.allow(present.summary.accessLabels) else {
            throw ToolError(
                .conflict,
                "The document_id \(document.id) can't be used.",
                suggestedAction: "Choose another document_id."
            )
        }
        guard arguments.replace || self.base.contentHash(of: document) == present.summary.version.contentHash else {
            throw ToolError(
                .conflict,
                "There is a document \(document.id) with another content.",
                suggestedAction:
                    "Choose another document_id; or, if it is to be replaced, call again with replace: true."
            )
        }
    }

    /// A principal can't give a document labels that it doesn't hold itself.
    private func checkLabels(_ labels: [String], _ context: ToolContext) throws(ToolError) {
        for (index, label) in labels.enumerated() {
            guard (1...128).contains(label.utf8.count) else {
                throw ToolError.invalidArguments([
                    ArgumentMistake(
                        pointer: JSONPointer().appending("access_labels").appending(String(index)),
                        message: "Expected 1 to 128 bytes."
                    )
                ])
            }
            guard context.accessLabels.allow([label]) else {
                throw ToolError(
                    .forbidden,
                    "You don't hold the access label \(label).",
                    suggestedAction: "Use labels that you hold."
                )
            }
        }
    }

    private static func checkMetadata(_ metadata: [String: JSONValue]) throws(ToolError) {
        guard metadata.json.serialized().count <= 16384, metadata.keys.allSatisfy({ !$0.hasPrefix("gantry.") }) else {
            throw ToolError.invalidArguments([
                ArgumentMistake(
                    pointer: JSONPointer().appending("metadata"),
                    message: "Expected at most 16384 bytes of JSON, and no key that begins with gantry."
                )
            ])
        }
    }

    static let identifierExpectation =
        "Expected 1 to 512 bytes of path segments without . or .. alone, control characters, ?, # or a slash at either end."

    static func isIdentifier(_ text: String) -> Bool {
        (1...512).contains(text.utf8.count)
            && text.unicodeScalars.allSatisfy { $0.value > 0x1F && $0.value != 0x7F && $0 != "?" && $0 != "#" }
            && text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
                !["", ".", ".."].contains($0)
            }
    }
}
