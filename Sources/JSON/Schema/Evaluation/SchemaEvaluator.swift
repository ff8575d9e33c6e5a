/// Evaluates one value against a compiled schema.
struct SchemaEvaluator {
    /// A step from a value into one of its parts.
    private enum Step {
        case key(String)
        case index(Int)
    }

    let program: SchemaProgram
    private var remainingWork: Int
    private var depth = 0
    /// The resources that the evaluation went through, the outermost first (Core, section 7.1).
    private var dynamicScope: [Int] = []
    private var path: [Step] = []
    private(set) var violations: [JSONSchemaViolation] = []
    /// Whether violations are described.
    ///
    /// Otherwise the first one ends the evaluation.
    private(set) var isReporting: Bool

    init(_ program: SchemaProgram, isReporting: Bool) {
        self.program = program
        self.remainingWork = program.maximumWork
        self.isReporting = isReporting
    }

    mutating func isValid(_ value: JSONValue) throws(JSONSchemaError) -> Bool {
        var parts = EvaluatedParts(isActive: false)
        return try self.evaluate(self.program.root, value, &parts)
    }

    mutating func violations(in value: JSONValue) throws(JSONSchemaError) -> [JSONSchemaViolation] {
        _ = try self.isValid(value)
        return self.violations
    }

    // MARK: Walking

    /// Evaluates a value, and notes which of its parts were evaluated.
    mutating func evaluate(
        _ index: Int,
        _ value: JSONValue,
        _ parts: inout EvaluatedParts
    ) throws(JSONSchemaError) -> Bool {
        let node = self.program.nodes[index]
        switch node.kind {
        case .anything:
            return true
        case .nothing:
            return self.fail(node, node.pointer.tokens.last ?? "false", "No value is allowed here.", isOwnPointer: true)
        case .keywords(let keywords):
            guard self.depth < self.program.maximumDepth else {
                throw JSONSchemaError(
                    code: .tooDeep,
                    message:
                        "The schema is nested, or refers to itself, more than \(self.program.maximumDepth) levels deep.",
                    schemaPointer: node.pointer
                )
            }
            self.depth += 1
            defer { self.depth -= 1 }
            let entersResource = self.dynamicScope.last != node.resource
            if entersResource { self.dynamicScope.append(node.resource) }
            defer { if entersResource { self.dynamicScope.removeLast() } }
            guard node.needsEvaluatedParts, !parts.isActive else {
                return try self.evaluate(keywords, of: node, value, &parts)
            }
            var ownParts = EvaluatedParts(isActive: true)
            return try self.evaluate(keywords, of: node, value, &ownParts)
        }
    }

    private mutating func evaluate(
        _ keywords: [SchemaKeyword],
        of node: SchemaNode,
        _ value: JSONValue,
        _ parts: inout EvaluatedParts
    ) throws(JSONSchemaError) -> Bool {
        var isValid = true
        for keyword in keywords {
            try self.charge(1, at: node)
            if try !self.evaluate(keyword, of: node, value, &parts) {
                isValid = false
                if !self.isReporting { break }
            }
        }
        return isValid
    }

    /// Evaluates the same value against another subschema, whose evaluated parts count only if it follows that.
    mutating func evaluateInPlace(
        _ index: Int,
        _ value: JSONValue,
        _ parts: inout EvaluatedParts
    ) throws(JSONSchemaError) -> Bool {
        var ownParts = EvaluatedParts(isActive: parts.isActive)
        guard try self.evaluate(index, value, &ownParts) else { return false }
        parts.formUnion(ownParts)
        return true
    }

    /// Evaluates a member.
    mutating func evaluate(_ index: Int, _ value: JSONValue, key: String) throws(JSONSchemaError) -> Bool {
        try self.evaluate(index, value, step: .key(key))
    }

    /// Evaluates an element.
    mutating func evaluate(_ index: Int, _ value: JSONValue, element: Int) throws(JSONSchemaError) -> Bool {
        try self.evaluate(index, value, step: .index(element))
    }

    private mutating func evaluate(_ index: Int, _ value: JSONValue, step: Step) throws(JSONSchemaError) -> Bool {
        self.path.append(step)
        defer { self.path.removeLast() }
        var parts = EvaluatedParts(isActive: false)
        return try self.evaluate(index, value, &parts)
    }

    /// Evaluates without describing violations.
    mutating func quietly<Result>(
        _ body: (inout Self) throws(JSONSchemaError) -> Result
    ) throws(JSONSchemaError) -> Result {
        let wasReporting = self.isReporting
        self.isReporting = false
        defer { self.isReporting = wasReporting }
        return try body(&self)
    }

    /// Evaluates with the violations kept apart, because they may turn out not to matter.
    mutating func collecting(
        _ body: (inout Self) throws(JSONSchemaError) -> Bool
    ) throws(JSONSchemaError) -> (isValid: Bool, violations: [JSONSchemaViolation]) {
        let saved = self.violations
        self.violations = []
        defer { self.violations = saved }
        let isValid = try body(&self)
        return (isValid, self.violations)
    }

    /// The node that a dynamic reference leads to in the current dynamic scope (Core, section 8.2.3.2).
    func target(ofDynamicAnchor anchor: String) -> Int? {
        for resource in self.dynamicScope {
            if let node = self.program.dynamicAnchors[resource][anchor] { return node }
        }
        return nil
    }

    // MARK: Bounds and violations

    mutating func charge(_ work: Int, at node: SchemaNode) throws(JSONSchemaError) {
        self.remainingWork -= work
        guard self.remainingWork >= 0 else { throw self.tooMuchWork(at: node) }
    }

    /// Counts a look at all of a text as work.
    mutating func charge(_ text: String, at node: SchemaNode) throws(JSONSchemaError) {
        try self.charge(text.utf8.count / CanonicalValue.bytesPerStep, at: node)
    }

    /// Whether a pattern matches.
    ///
    /// Its steps count as work.
    mutating func matches(
        _ pattern: PatternProgram,
        _ text: String,
        at node: SchemaNode
    ) throws(JSONSchemaError) -> Bool {
        do {
            return try PatternMatcher.matches(pattern, in: text, steps: &self.remainingWork)
        } catch {
            switch error {
            case .steps: throw self.tooMuchWork(at: node)
            case .choices:
                throw JSONSchemaError(
                    code: .tooMuchWork,
                    message:
                        "A regular expression has more than \(PatternMatcher.maximumChoices) ways open, and was given up.",
                    schemaPointer: node.pointer
                )
            }
        }
    }

    private func tooMuchWork(at node: SchemaNode) -> JSONSchemaError {
        JSONSchemaError(
            code: .tooMuchWork,
            message: "The validation takes more than \(self.program.maximumWork) steps, and was given up.",
            schemaPointer: node.pointer
        )
    }

    /// Notes a violation, if violations are described at all.
    ///
    /// It is a violation by the member with the `key`, or by the `element`, if one is given, and else by the value that is
    /// being evaluated. With `isOwnPointer`, the node itself stands for the keyword, as the `false` in `"items": false` does.
    ///
    /// - Returns: `false`, so that callers can return it.
    mutating func fail(
        _ node: SchemaNode,
        _ keyword: String,
        _ message: @autoclosure () -> String,
        key: String? = nil,
        element: Int? = nil,
        isOwnPointer: Bool = false
    ) -> Bool {
        guard self.isReporting, self.violations.count < self.program.maximumViolations else { return false }
        var tokens = self.path.map { step in
            switch step {
            case .key(let key): key
            case .index(let index): String(index)
            }
        }
        if let key { tokens.append(key) }
        if let element { tokens.append(String(element)) }
        self.violations.append(
            JSONSchemaViolation(
                instancePointer: JSONPointer(tokens: tokens),
                schemaPointer: isOwnPointer ? node.pointer : node.pointer.appending(keyword),
                keyword: keyword,
                message: message()
            )
        )
        return false
    }
}
