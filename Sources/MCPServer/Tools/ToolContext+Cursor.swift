public import JSON

/// Cursors of a tool's own lists.
///
/// They are sealed: nobody can read or change them, lend them to another principal, or use them for another list. They
/// expire after an hour.
extension ToolContext {
    /// Seals where the next page begins.
    ///
    /// - Parameters:
    ///   - position: What the tool needs to go on.
    ///   - list: What the cursor is for: the name of the tool and all arguments that make it another list.
    /// - Returns: An opaque text.
    /// - Throws: ``ToolError`` with `internal` if it can't be sealed.
    public func cursor(_ position: JSONObject, for list: JSONValue) throws(ToolError) -> String {
        do {
            return try self.sealer.seal(position, expiry: Timestamp.seconds + 3600, context: self.context(list))
        } catch {
            throw ToolError(.internal, "The list can't be continued.", cause: error)
        }
    }

    /// Opens what ``cursor(_:for:)`` has sealed.
    ///
    /// - Throws: ``ToolError`` with `invalid_arguments` if it is from another list or principal, changed, or too old.
    public func position(of cursor: String, for list: JSONValue) throws(ToolError) -> JSONObject {
        if let position = self.sealer.open(cursor, now: Timestamp.seconds, context: self.context(list)) {
            return position
        }
        throw ToolError(
            .invalidArguments,
            "The cursor is not one that this list gave, or is older than an hour.",
            suggestedAction:
                "Call again without cursor to start at the first page; change no other argument between pages.",
            mistakes: [ArgumentMistake(pointer: JSONPointer().appending("cursor"), message: "Expected next_cursor.")]
        )
    }

    private func context(_ list: JSONValue) -> [UInt8] {
        Array("tool-cursor\0\(self.principal.id)\0".utf8) + list.digest
    }
}
