/// Two runs over the same questions, side by side.
public struct EvaluationComparison: Sendable {
    /// One question that both runs answered.
    public struct Change: Sendable, Hashable {
        public var id: String
        public var text: String
        public var first: Double
        public var second: Double
    }

    public let first: EvaluationRecord
    public let second: EvaluationRecord
    /// The comparison of each metric that both runs have.
    public let metrics: [(name: String, result: PairedComparison)]
    /// The metric that changes are shown in: the first that both runs have.
    public let leadingMetric: String
    /// All questions of both runs with their leading metric, in the order of the first run.
    public let changes: [Change]

    /// Compares two runs by the questions that both have.
    ///
    /// - Throws: ``KnowledgeError/Code/invalidArguments`` if they have no question or no metric in common.
    public init(_ first: EvaluationRecord, _ second: EvaluationRecord) throws(KnowledgeError) {
        let others = Dictionary(second.questions.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let pairs = first.questions.compactMap { question in others[question.id].map { (question, $0) } }
        guard !pairs.isEmpty else {
            throw KnowledgeError(.invalidArguments, "The two evaluations have no question in common, by their ids.")
        }
        let names = first.metricNames.filter(second.metricNames.contains)
        guard let leading = names.first else {
            throw KnowledgeError(.invalidArguments, "The two evaluations have no metric in common.")
        }
        self.first = first
        self.second = second
        self.leadingMetric = leading
        self.metrics = names.map { name in
            (name, PairedComparison(pairs.map { $0.0.metrics[name] ?? 0 }, pairs.map { $0.1.metrics[name] ?? 0 }))
        }
        self.changes = pairs.map { old, new in
            Change(id: old.id, text: old.text, first: old.metrics[leading] ?? 0, second: new.metrics[leading] ?? 0)
        }
    }

    /// The questions that changed most, in either direction, at most as many as given.
    public func largestChanges(_ limit: Int) -> [Change] {
        let changed = self.changes.filter { $0.first != $0.second }
        return Array(changed.sorted { abs($0.second - $0.first) > abs($1.second - $1.first) }.prefix(limit))
    }

    /// The figures as a table for a terminal.
    public var table: String {
        var rows = [["metric", "first", "second", "change", "95 % interval", "p", "better/worse"]]
        for (name, result) in self.metrics {
            rows.append([
                name, Figures.decimals(result.firstMean), Figures.decimals(result.secondMean),
                Figures.signed(result.difference),
                "\(Figures.signed(result.interval.lowerBound)) … \(Figures.signed(result.interval.upperBound))",
                Figures.decimals(result.pValue), "\(result.betterCount)/\(result.worseCount)",
            ])
        }
        var lines = [Figures.table(rows)]
        let skipped = max(self.first.questions.count, self.second.questions.count) - self.changes.count
        lines.append("\n\(self.changes.count) questions in common" + (skipped > 0 ? "; others are left out" : ""))
        let largest = self.largestChanges(10)
        if !largest.isEmpty {
            lines.append("\nlargest changes of \(self.leadingMetric):")
            for change in largest {
                lines.append(
                    "  \(Figures.decimals(change.first)) → \(Figures.decimals(change.second))  \(change.id)  "
                        + String(change.text.prefix(80))
                )
            }
        }
        return lines.joined(separator: "\n")
    }
}

/// How figures are written in reports.
enum Figures {
    /// A number with four decimals, as evaluations print them.
    static func decimals(_ value: Double) -> String {
        let digits = String(Int((abs(value) * 10_000).rounded()))
        let padded = String(repeating: "0", count: max(0, 5 - digits.count)) + digits
        let sign = value < 0 && padded.contains { $0 != "0" } ? "-" : ""
        return "\(sign)\(padded.dropLast(4)).\(padded.suffix(4))"
    }

    static func signed(_ value: Double) -> String {
        let text = Self.decimals(value)
        return text.hasPrefix("-") ? text : "+\(text)"
    }

    /// Rows of columns, the first to the left, the others to the right.
    static func table(_ rows: [[String]]) -> String {
        let count = rows.map(\.count).max() ?? 0
        let widths = (0..<count).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { column, text in
                let space = String(repeating: " ", count: widths[column] - text.count)
                return column == 0 ? text + space : space + text
            }
            .joined(separator: "  ")
        }
        .joined(separator: "\n")
    }
}
