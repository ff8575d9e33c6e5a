/// What came of looking at every link of the chain.
public struct AuditVerification: Sendable, Hashable {
    /// How many records were looked at and are right.
    public var count: Int
    /// The last link, to be noted elsewhere.
    public var head: String
    /// The first thing that is wrong; nothing if all is right.
    public var problem: String?
}

extension AuditStore {
    /// Looks at every record: whether it is as it was written, and none is missing, added or moved.
    ///
    /// - Parameters:
    ///   - chain: The chain with its key.
    ///   - head: A ``AuditSpan/head`` that was noted earlier, to see that the log still holds it.
    /// - Returns: What was found.
    /// - Throws: ``AuditError`` with `unavailable` if the log can't be read.
    public func verify(_ chain: AuditChain, notedHead head: String? = nil) async throws(AuditError) -> AuditVerification
    {
        let span: AuditSpan
        do {
            span = try await self.span()
        } catch  where error.code == .broken {
            return AuditVerification(count: 0, head: "", problem: error.message)
        }
        var found = AuditVerification(count: 0, head: span.head)
        var noted = head
        if head == "\(AuditSpan(start: 0, startLink: [], end: span.start, endLink: span.startLink).head)" {
            noted = nil
        }
        var previous = span.startLink
        var expected = span.start + 1
        while true {
            let entries = try await self.entries(after: expected - 1, limit: 1000)
            for entry in entries {
                guard entry.sequence == expected else {
                    found.problem = "Record \(expected) is missing: the next one is \(entry.sequence)."
                    return found
                }
                guard entry.link == chain.link(entry.record, sequence: entry.sequence, after: previous) else {
                    found.problem =
                        "Record \(entry.sequence) is not what was written, or the one before it was replaced."
                    return found
                }
                previous = entry.link
                if noted == AuditSpan(start: 0, startLink: [], end: entry.sequence, endLink: entry.link).head {
                    noted = nil
                }
                found.count += 1
                expected += 1
            }
            if entries.isEmpty { break }
        }
        guard expected - 1 == span.end else {
            found.problem =
                expected - 1 < span.end
                ? "Records \(expected) to \(span.end) are missing at the end."
                : "Records \(span.end + 1) to \(expected - 1) were added from outside."
            return found
        }
        guard previous == span.endLink else {
            found.problem = "The last record is not the one that was written last."
            return found
        }
        if noted != nil {
            found.problem = "The log does not hold the record that was noted: it is an older copy, or a new one."
        }
        // What retention has removed must be gone altogether.
        if let first = try await self.entries(after: 0, limit: 1).first, first.sequence <= span.start {
            found.problem = "Record \(first.sequence) is from before the beginning of the chain."
        }
        return found
    }
}
