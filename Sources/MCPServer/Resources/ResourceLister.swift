import JSON
import MCP

/// Walks through the resources that there are always and those of each family, a page at a time.
struct ResourceLister: Sendable {
    /// Where a page begins.
    struct Position: Sendable {
        /// 0 for the resources that there are always, then one for each family.
        var section = 0
        /// Within the first section.
        var offset = 0
        /// Within a family; nothing at its beginning.
        var cursor: String?

        init() {}

        init(_ json: JSONObject) {
            self.section = max(0, json["section"]?.intValue ?? 0)
            self.offset = max(0, json["offset"]?.intValue ?? 0)
            self.cursor = json["cursor"]?.stringValue
        }

        var json: JSONObject {
            var json: JSONObject = ["section": .integer(self.section), "offset": .integer(self.offset)]
            if let cursor = self.cursor { json["cursor"] = .string(cursor) }
            return json
        }

        fileprivate mutating func moveToNextSection() {
            self.section += 1
            self.offset = 0
            self.cursor = nil
        }
    }

    let resources: [any Resource]
    let templates: [RegisteredTemplate]
    /// The most resources of a page.
    let limit: Int
    /// How far a permission reaches: each family has one of its own.
    let reach: @Sendable (Permission) -> AccessReach

    /// The page that begins at a position, and where the next one begins.
    ///
    /// A family that gives a short page ends this one too: it has had its share of the time.
    func page(
        from start: Position,
        _ context: HandlerContext
    ) async throws -> (resources: [ResourceDefinition], next: Position?) {
        var position = start
        var page: [ResourceDefinition] = []
        if position.section == 0 {
            let part = self.resources.dropFirst(position.offset).prefix(self.limit)
            page = part.map { ResourceDefinition($0) }
            position.offset += part.count
            if position.offset >= self.resources.count { position.moveToNextSection() }
        }
        while position.section > 0, position.section <= self.templates.count, page.count < self.limit {
            let family = self.templates[position.section - 1]
            let part = try await family.list(
                position.cursor,
                self.limit - page.count,
                context.reaching(self.reach(family.permission))
            )
            page += part.resources
            if let next = part.next {
                position.cursor = next
                break
            }
            position.moveToNextSection()
        }
        // A page that is full ends where something follows, so that no client fetches an empty one after it.
        while position.cursor == nil, position.section > 0, position.section <= self.templates.count {
            let family = self.templates[position.section - 1]
            let part = try await family.list(nil, 1, context.reaching(self.reach(family.permission)))
            if !part.resources.isEmpty || part.next != nil { break }
            position.moveToNextSection()
        }
        return (page, position.section > self.templates.count ? nil : position)
    }
}
