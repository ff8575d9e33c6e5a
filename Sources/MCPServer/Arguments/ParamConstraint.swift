import JSON

/// What a value of an argument has to fulfil beyond its type.
public struct ParamConstraint<Value: Sendable>: Sendable {
    /// Adds the keywords to the argument's schema.
    let describe: @Sendable (inout JSONObject) -> Void
    /// What is wrong with a value, or nothing.
    let problem: @Sendable (Value) -> String?
    /// Values that begin like what is typed so far, for prompts and resource templates.
    var complete: Completion?
    /// The name on the wire, where it does not follow from the Swift name.
    var wireName: String?

    /// Suggests values.
    ///
    /// It gets what is typed so far, and the other arguments that are filled in already, by name.
    public typealias Completion = @Sendable (_ typed: String, _ others: [String: String]) async throws -> [String]

    init(
        describe: @escaping @Sendable (inout JSONObject) -> Void,
        problem: @escaping @Sendable (Value) -> String?,
        complete: Completion? = nil
    ) {
        self.describe = describe
        self.problem = problem
        self.complete = complete
    }

    /// Suggests values while a user fills in a prompt or a resource template.
    ///
    /// At most 100 are sent. Specification: 2026-07-28, server/utilities/completion.
    public static func completions(_ complete: @escaping Completion) -> Self {
        Self(describe: { _ in }, problem: { _ in nil }, complete: complete)
    }

    /// Another name on the wire than the snake case of the Swift name.
    public static func name(_ name: String) -> Self {
        var constraint = Self(describe: { _ in }, problem: { _ in nil })
        constraint.wireName = name
        return constraint
    }

    /// HTTP clients repeat the argument in the header `Mcp-Param-` and this name, for routing.
    ///
    /// Not for secrets.
    ///
    /// Specification: 2026-07-28, server/tools, "x-mcp-header".
    public static func header(_ name: String) -> Self {
        Self(describe: { $0["x-mcp-header"] = .string(name) }, problem: { _ in nil })
    }

    /// A rule that a schema can't say.
    ///
    /// - Parameter problem: What is wrong with a value, in a sentence for the model; nothing if it is fine.
    /// - Returns: The constraint.
    public static func check(_ problem: @escaping @Sendable (Value) -> String?) -> Self {
        Self(describe: { _ in }, problem: problem)
    }
}

extension ParamConstraint where Value: ToolValue {
    /// Values that show how the argument is used.
    public static func examples(_ values: [Value]) -> Self {
        Self(describe: { $0["examples"] = .array(values.map(\.json)) }, problem: { _ in nil })
    }
}

extension ParamConstraint where Value: ToolValue & Comparable {
    /// The least and the greatest value.
    public static func range(_ range: ClosedRange<Value>) -> Self {
        let (lower, upper) = (range.lowerBound.json, range.upperBound.json)
        return Self(
            describe: { schema in
                schema["minimum"] = lower
                schema["maximum"] = upper
            },
            problem: {
                range.contains($0)
                    ? nil : "Expected a number from \(range.lowerBound) to \(range.upperBound), got \($0)."
            }
        )
    }
}

extension ParamConstraint<String> {
    /// A regular expression, in the form that JSON Schema uses, that must match somewhere; anchor it to match it all.
    ///
    /// - Precondition: The pattern is a regular expression: it is written by programmers.
    public static func pattern(_ pattern: String) -> Self {
        guard let schema = try? JSONSchema(["pattern": .string(pattern)]) else {
            preconditionFailure("\(pattern) is not a regular expression")
        }
        return Self(
            describe: { $0["pattern"] = .string(pattern) },
            problem: { text in
                // A pattern that can't be tried within its bounds has not matched.
                let matches = (try? schema.violations(in: .string(text)))?.isEmpty ?? false
                return matches ? nil : "Expected text that matches \(pattern)."
            }
        )
    }

    /// The least and the greatest number of characters (Unicode code points, as JSON Schema counts).
    public static func length(_ range: ClosedRange<Int>) -> Self {
        Self(
            describe: { schema in
                schema["minLength"] = .integer(range.lowerBound)
                schema["maxLength"] = .integer(range.upperBound)
            },
            problem: { text in
                let count = text.unicodeScalars.count
                return range.contains(count)
                    ? nil : "Expected \(range.lowerBound) to \(range.upperBound) characters, got \(count)."
            }
        )
    }

    /// The name of a format, for the reader of the schema.
    public static func format(_ format: String) -> Self {
        Self(describe: { $0["format"] = .string(format) }, problem: { _ in nil })
    }
}

extension ParamConstraint {
    /// The least and the greatest number of elements.
    public static func count<Element>(_ range: ClosedRange<Int>) -> Self where Value == [Element] {
        Self(
            describe: { schema in
                schema["minItems"] = .integer(range.lowerBound)
                schema["maxItems"] = .integer(range.upperBound)
            },
            problem: { elements in
                range.contains(elements.count)
                    ? nil
                    : "Expected \(range.lowerBound) to \(range.upperBound) elements, got \(elements.count)."
            }
        )
    }
}
