extension SchemaEvaluator {
    /// Evaluates one keyword.
    mutating func evaluate(
        _ keyword: SchemaKeyword,
        of node: SchemaNode,
        _ value: JSONValue,
        _ parts: inout EvaluatedParts
    ) throws(JSONSchemaError) -> Bool {
        switch keyword {
        case .type(let types):
            let type = SchemaTypes(of: value)
            return types.allows(type)
                || self.fail(node, "type", "Expected \(types.description), got \(type.description).")
        case .enumeration(let canonical, let allowed):
            let isMember = try self.isMember(value, of: canonical, node)
            return isMember
                || self.fail(node, "enum", "Expected one of \(allowed), got \(SchemaTypes(of: value).description).")
        case .const(let canonical, let allowed):
            let isMember = try self.isMember(value, of: [canonical], node)
            return isMember
                || self.fail(node, "const", "Expected \(allowed), got \(SchemaTypes(of: value).description).")
        case .multipleOf(let divisor):
            guard let number = DecimalNumber(value) else { return true }
            return divisor.divides(number)
                || self.fail(
                    node,
                    "multipleOf",
                    "Expected a multiple of \(divisor.text), got \(SchemaMessages.got(value))."
                )
        case .bound(let bound): return self.evaluate(bound, of: node, value)
        case .count(let bound):
            if bound.subject == .characters, case .string(let string) = value { try self.charge(string, at: node) }
            return self.evaluate(bound, of: node, value)
        case .pattern(let program, let source):
            guard case .string(let string) = value else { return true }
            return try self.matches(program, string, at: node)
                || self.fail(
                    node,
                    "pattern",
                    "Expected a string that matches the pattern \(SchemaMessages.shortened(source, to: 200))."
                )
        case .format(let format):
            guard case .string(let string) = value else { return true }
            try self.charge(string, at: node)
            return format.accepts(string) || self.fail(node, "format", "Expected \(format.expectation).")
        case .uniqueItems: return try self.evaluateUniqueItems(node, value)
        case .required(let names):
            try self.charge(names.count, at: node)
            return self.evaluateRequired(names, of: node, value)
        case .dependentRequired(let dependencies):
            try self.charge(dependencies.reduce(0) { $0 + 1 + $1.required.count }, at: node)
            return self.evaluateDependentRequired(dependencies, of: node, value)
        case .dependentSchemas(let dependencies):
            guard case .object(let object) = value else { return true }
            return try self.all(dependencies.filter { object[$0.key] != nil }.map(\.node), value, &parts)
        case .members(let rules): return try self.evaluate(rules, of: node, value, &parts)
        case .propertyNames(let names): return try self.evaluatePropertyNames(names, of: node, value)
        case .elements(let rules): return try self.evaluate(rules, of: node, value, &parts)
        case .contains(let rule): return try self.evaluate(rule, of: node, value, &parts)
        case .reference(let target): return try self.evaluateInPlace(target, value, &parts)
        case .dynamicReference(let target, let anchor):
            let dynamic = anchor.flatMap { self.target(ofDynamicAnchor: $0) }
            return try self.evaluateInPlace(dynamic ?? target, value, &parts)
        case .allOf(let nodes): return try self.all(nodes, value, &parts)
        case .anyOf(let nodes): return try self.evaluateAnyOf(nodes, of: node, value, &parts)
        case .oneOf(let nodes): return try self.evaluateOneOf(nodes, of: node, value, &parts)
        case .not(let target):
            let isValid = try self.quietly { evaluator throws(JSONSchemaError) in
                var ignored = EvaluatedParts(isActive: false)
                return try evaluator.evaluate(target, value, &ignored)
            }
            return !isValid || self.fail(node, "not", "The value is of a kind that is excluded here.")
        case .condition(let condition, let then, let otherwise):
            return try self.evaluateCondition(condition, then, otherwise, value, &parts)
        case .unevaluatedProperties(let target): return try self.evaluateRestOfMembers(target, of: node, value, &parts)
        case .unevaluatedItems(let target): return try self.evaluateRestOfElements(target, of: node, value, &parts)
        }
    }

    // MARK: Assertions

    private mutating func isMember(
        _ value: JSONValue,
        of allowed: [CanonicalValue],
        _ node: SchemaNode
    ) throws(JSONSchemaError) -> Bool {
        var work = allowed.count
        let canonical = CanonicalValue(value, work: &work)
        try self.charge(work, at: node)
        return allowed.contains(canonical)
    }

    private mutating func evaluate(_ bound: NumberBound, of node: SchemaNode, _ value: JSONValue) -> Bool {
        let isInside: Bool
        if case (.integer(let number), .integer(let limit)) = (value, bound.limit) {
            isInside =
                bound.isExclusive && number == limit ? false : bound.isMaximum ? number <= limit : number >= limit
        } else {
            guard let number = DecimalNumber(value), let limit = DecimalNumber(bound.limit) else { return true }
            isInside =
                bound.isExclusive && number == limit ? false : bound.isMaximum ? number <= limit : number >= limit
        }
        if isInside { return true }
        let relation =
            bound.isExclusive ? (bound.isMaximum ? "less than" : "more than") : bound.isMaximum ? "at most" : "at least"
        let limit = SchemaMessages.shortened(bound.limit.serializedString())
        return self.fail(node, bound.keyword, "Expected \(relation) \(limit), got \(SchemaMessages.got(value)).")
    }

    private mutating func evaluate(_ bound: CountBound, of node: SchemaNode, _ value: JSONValue) -> Bool {
        let count: Int
        switch (bound.subject, value) {
        // A character is a code point here (Validation, section 6.3).
        case (.characters, .string(let string)): count = string.unicodeScalars.count
        case (.items, .array(let values)): count = values.count
        case (.properties, .object(let object)): count = object.count
        default: return true
        }
        if bound.isMaximum ? count <= bound.limit : count >= bound.limit { return true }
        let relation = bound.isMaximum ? "at most" : "at least"
        let unit = bound.limit == 1 ? bound.subject.rawValue : bound.subject.plural
        return self.fail(node, bound.keyword, "Expected \(relation) \(bound.limit) \(unit), got \(count).")
    }

    private mutating func evaluateUniqueItems(_ node: SchemaNode, _ value: JSONValue) throws(JSONSchemaError) -> Bool {
        guard case .array(let values) = value else { return true }
        var positions: [CanonicalValue: Int] = [:]
        for (index, value) in values.enumerated() {
            var work = 0
            let canonical = CanonicalValue(value, work: &work)
            try self.charge(work, at: node)
            if let other = positions.updateValue(index, forKey: canonical) {
                return self.fail(
                    node,
                    "uniqueItems",
                    "Expected items that all differ, but items \(other) and \(index) are equal."
                )
            }
        }
        return true
    }

    private mutating func evaluateRequired(_ names: [String], of node: SchemaNode, _ value: JSONValue) -> Bool {
        guard case .object(let object) = value else { return true }
        var isValid = true
        for name in names where object[name] == nil {
            isValid = self.fail(
                node,
                "required",
                "The required property '\(SchemaMessages.shortened(name))' is missing."
            )
            if !self.isReporting { break }
        }
        return isValid
    }

    private mutating func evaluateDependentRequired(
        _ dependencies: [(key: String, required: [String])],
        of node: SchemaNode,
        _ value: JSONValue
    ) -> Bool {
        guard case .object(let object) = value else { return true }
        var isValid = true
        for (key, required) in dependencies where object[key] != nil {
            for name in required where object[name] == nil {
                let names = "'\(SchemaMessages.shortened(name))' is missing, which '\(SchemaMessages.shortened(key))'"
                isValid = self.fail(node, "dependentRequired", "The property \(names) requires.")
            }
        }
        return isValid
    }

    // MARK: Members

    private mutating func evaluate(
        _ rules: MemberRules,
        of node: SchemaNode,
        _ value: JSONValue,
        _ parts: inout EvaluatedParts
    ) throws(JSONSchemaError) -> Bool {
        guard case .object(let object) = value else { return true }
        var isValid = true
        for (position, member) in object.enumerated() {
            try self.charge(1 + rules.patterns.count, at: node)
            try self.charge(member.key, at: node)
            var isKnown = false
            if let target = rules.properties[ScalarString(member.key)] {
                isKnown = true
                isValid = try self.evaluate(target, member.value, key: member.key) && isValid
            }
            for pattern in rules.patterns where try self.matches(pattern.program, member.key, at: node) {
                isKnown = true
                isValid = try self.evaluate(pattern.node, member.value, key: member.key) && isValid
            }
            if !isKnown, let additional = rules.additional {
                isKnown = true
                isValid = try self.evaluateAdditional(additional, member, rules, of: node) && isValid
            }
            if isKnown { parts.addMember(position) }
            if !isValid, !self.isReporting { return false }
        }
        return isValid
    }

    private mutating func evaluateAdditional(
        _ target: Int,
        _ member: JSONObject.Element,
        _ rules: MemberRules,
        of node: SchemaNode
    ) throws(JSONSchemaError) -> Bool {
        guard case .nothing = self.program.nodes[target].kind else {
            return try self.evaluate(target, member.value, key: member.key)
        }
        let allowed = rules.names.isEmpty ? "" : "; known are \(SchemaMessages.names(rules.names))"
        return self.fail(
            node,
            "additionalProperties",
            "There is no property '\(SchemaMessages.shortened(member.key))' here\(allowed).",
            key: member.key
        )
    }

    private mutating func evaluatePropertyNames(
        _ target: Int,
        of node: SchemaNode,
        _ value: JSONValue
    ) throws(JSONSchemaError) -> Bool {
        guard case .object(let object) = value else { return true }
        var isValid = true
        for (key, _) in object {
            try self.charge(1, at: node)
            let (isNameValid, violations) = try self.collecting { evaluator throws(JSONSchemaError) in
                var ignored = EvaluatedParts(isActive: false)
                return try evaluator.evaluate(target, .string(key), &ignored)
            }
            if isNameValid { continue }
            let reason = violations.first.map { " " + $0.message } ?? ""
            isValid = self.fail(
                node,
                "propertyNames",
                "The property name '\(SchemaMessages.shortened(key))' is not allowed.\(reason)",
                key: key
            )
            if !self.isReporting { break }
        }
        return isValid
    }

    private mutating func evaluateRestOfMembers(
        _ target: Int,
        of node: SchemaNode,
        _ value: JSONValue,
        _ parts: inout EvaluatedParts
    ) throws(JSONSchemaError) -> Bool {
        guard case .object(let object) = value, !parts.hasAllMembers else { return true }
        var isValid = true
        for (position, member) in object.enumerated() where !parts.hasMember(position) {
            try self.charge(1, at: node)
            if case .nothing = self.program.nodes[target].kind {
                isValid = self.fail(
                    node,
                    "unevaluatedProperties",
                    "There is no property '\(SchemaMessages.shortened(member.key))' here.",
                    key: member.key
                )
            } else {
                isValid = try self.evaluate(target, member.value, key: member.key) && isValid
            }
            if !isValid, !self.isReporting { return false }
        }
        parts.addAllMembers()
        return isValid
    }

    // MARK: Elements

    private mutating func evaluate(
        _ rules: ElementRules,
        of node: SchemaNode,
        _ value: JSONValue,
        _ parts: inout EvaluatedParts
    ) throws(JSONSchemaError) -> Bool {
        guard case .array(let values) = value else { return true }
        var isValid = true
        for (index, element) in values.enumerated() {
            guard let target = index < rules.prefix.count ? rules.prefix[index] : rules.rest else { break }
            try self.charge(1, at: node)
            if index >= rules.prefix.count, case .nothing = self.program.nodes[target].kind {
                let message = "Expected at most \(rules.prefix.count) items, got \(values.count)."
                isValid = self.fail(node, "items", message, element: index)
                break
            }
            isValid = try self.evaluate(target, element, element: index) && isValid
            if !isValid, !self.isReporting { return false }
        }
        if rules.rest == nil { parts.addElements(before: rules.prefix.count) } else { parts.addAllElements() }
        return isValid
    }

    private mutating func evaluate(
        _ rule: ContainsRule,
        of node: SchemaNode,
        _ value: JSONValue,
        _ parts: inout EvaluatedParts
    ) throws(JSONSchemaError) -> Bool {
        guard case .array(let values) = value else { return true }
        var count = 0
        for (index, element) in values.enumerated() {
            try self.charge(1, at: node)
            let isMatch = try self.quietly { evaluator throws(JSONSchemaError) in
                try evaluator.evaluate(rule.node, element, element: index)
            }
            if isMatch {
                count += 1
                parts.addElement(index)
            }
        }
        if count < rule.minimum {
            let keyword = rule.minimum == 1 ? "contains" : "minContains"
            let message =
                "Expected at least \(rule.minimum) item(s) of the kind that 'contains' describes, got \(count)."
            return self.fail(node, keyword, message)
        }
        if let maximum = rule.maximum, count > maximum {
            let message = "Expected at most \(maximum) item(s) of the kind that 'contains' describes, got \(count)."
            return self.fail(node, "maxContains", message)
        }
        return true
    }

    private mutating func evaluateRestOfElements(
        _ target: Int,
        of node: SchemaNode,
        _ value: JSONValue,
        _ parts: inout EvaluatedParts
    ) throws(JSONSchemaError) -> Bool {
        guard case .array(let values) = value, !parts.hasAllElements else { return true }
        var isValid = true
        for (index, element) in values.enumerated() where !parts.hasElement(index) {
            try self.charge(1, at: node)
            if case .nothing = self.program.nodes[target].kind {
                isValid = self.fail(node, "unevaluatedItems", "There is no item \(index) here.", element: index)
            } else {
                isValid = try self.evaluate(target, element, element: index) && isValid
            }
            if !isValid, !self.isReporting { return false }
        }
        parts.addAllElements()
        return isValid
    }

    // MARK: Combinations

    private mutating func all(
        _ nodes: [Int],
        _ value: JSONValue,
        _ parts: inout EvaluatedParts
    ) throws(JSONSchemaError) -> Bool {
        var isValid = true
        for node in nodes {
            isValid = try self.evaluateInPlace(node, value, &parts) && isValid
            if !isValid, !self.isReporting { return false }
        }
        return isValid
    }

    private mutating func evaluateAnyOf(
        _ nodes: [Int],
        of node: SchemaNode,
        _ value: JSONValue,
        _ parts: inout EvaluatedParts
    ) throws(JSONSchemaError) -> Bool {
        var isValid = false
        var reasons: [String] = []
        for alternative in nodes {
            let (isMatch, reason) = try self.evaluateAlternative(alternative, value, &parts)
            if isMatch {
                isValid = true
                // The others matter only for what they evaluate.
                if !parts.isActive { break }
            } else {
                reasons.append(reason)
            }
        }
        return isValid || self.fail(node, "anyOf", Self.message(reasons))
    }

    private mutating func evaluateOneOf(
        _ nodes: [Int],
        of node: SchemaNode,
        _ value: JSONValue,
        _ parts: inout EvaluatedParts
    ) throws(JSONSchemaError) -> Bool {
        var matches: [Int] = []
        var reasons: [String] = []
        for (number, alternative) in nodes.enumerated() {
            let (isMatch, reason) = try self.evaluateAlternative(alternative, value, &parts)
            if isMatch { matches.append(number + 1) } else { reasons.append(reason) }
            if matches.count == 2 {
                let message =
                    "Expected just one of the \(nodes.count) alternatives to fit, but \(matches[0]) and \(matches[1]) do."
                return self.fail(node, "oneOf", message)
            }
        }
        return matches.count == 1 || self.fail(node, "oneOf", Self.message(reasons))
    }

    /// Evaluates one of several alternatives, and says in which way it does not fit.
    private mutating func evaluateAlternative(
        _ alternative: Int,
        _ value: JSONValue,
        _ parts: inout EvaluatedParts
    ) throws(JSONSchemaError) -> (isMatch: Bool, reason: String) {
        var ownParts = EvaluatedParts(isActive: parts.isActive)
        let (isMatch, violations) = try self.collecting { evaluator throws(JSONSchemaError) in
            try evaluator.evaluate(alternative, value, &ownParts)
        }
        if isMatch { parts.formUnion(ownParts) }
        return (isMatch, violations.first.map(\.description) ?? "It does not fit.")
    }

    private static func message(_ reasons: [String]) -> String {
        let shown = reasons.prefix(5).enumerated().map { " (\($0 + 1)) \(SchemaMessages.shortened($1, to: 200))" }
        return "None of the \(reasons.count) alternatives fits:\(shown.joined())"
    }

    private mutating func evaluateCondition(
        _ condition: Int,
        _ then: Int?,
        _ otherwise: Int?,
        _ value: JSONValue,
        _ parts: inout EvaluatedParts
    ) throws(JSONSchemaError) -> Bool {
        var ownParts = EvaluatedParts(isActive: parts.isActive)
        let isMatch = try self.quietly { evaluator throws(JSONSchemaError) in
            try evaluator.evaluate(condition, value, &ownParts)
        }
        if isMatch { parts.formUnion(ownParts) }
        guard let branch = isMatch ? then : otherwise else { return true }
        return try self.evaluateInPlace(branch, value, &parts)
    }
}
