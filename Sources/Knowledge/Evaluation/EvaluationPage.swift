/// Reports of evaluations as one page of HTML that needs nothing else: the plots are SVG within it.
public enum EvaluationPage {
    /// The page of one run.
    public static func html(_ record: EvaluationRecord) -> String {
        let metric = record.metricNames.first ?? ""
        let scores = record.questions.map { $0.metrics[metric] ?? 0 }
        let worst = record.questions.sorted { ($0.metrics[metric] ?? 0) < ($1.metrics[metric] ?? 0) }.prefix(50)
        let facts = [
            ("documents", "\(record.documentCount)"), ("chunks", "\(record.chunkCount)"),
            ("questions", "\(record.questions.count)"), ("mode", record.mode), ("model", record.model ?? "none"),
        ]
        let recall = record.metricNames.filter { $0.hasPrefix("recall@") }.map { ($0, record.mean(of: $0)) }
        return Self.page(
            title: "Retrieval of \(record.name)",
            """
            \(Self.table(["", ""], facts.map { [$0.0, $0.1] }))
            <h2>Metrics</h2>
            \(Self.table(["metric", "mean"], record.metricNames.map { [$0, Figures.decimals(record.mean(of: $0))] }))
            <h2>How the questions do (\(Self.escaped(metric)))</h2>
            \(Self.histogram(scores))
            <h2>Recall by depth</h2>
            \(Self.bars(recall))
            <h2>The questions that do worst</h2>
            \(Self.table(
                ["question", metric, "found first", "relevant"],
                worst.map { question in
                    [
                        question.text, Figures.decimals(question.metrics[metric] ?? 0),
                        question.found.prefix(3).joined(separator: ", "),
                        question.relevant.prefix(3).joined(separator: ", "),
                    ]
                }
            ))
            """
        )
    }

    /// The page of two runs.
    public static func html(_ comparison: EvaluationComparison) -> String {
        let rows = comparison.metrics.map { name, result in
            [
                name, Figures.decimals(result.firstMean), Figures.decimals(result.secondMean),
                Figures.signed(result.difference),
                "\(Figures.signed(result.interval.lowerBound)) … \(Figures.signed(result.interval.upperBound))",
                Figures.decimals(result.pValue), "\(result.betterCount) / \(result.worseCount)",
            ]
        }
        return Self.page(
            title: "\(comparison.second.name) against \(comparison.first.name)",
            """
            <p>\(comparison.changes.count) questions in common. The p-value is that of a paired randomisation test, the \
            interval a percentile bootstrap over questions, both with \(PairedComparison.rounds) rounds.</p>
            \(Self.table(["metric", "first", "second", "change", "95 % interval", "p", "better / worse"], rows))
            <h2>Change and 95 % interval of each metric</h2>
            \(Self.intervals(comparison.metrics))
            <h2>Each question (\(Self.escaped(comparison.leadingMetric)))</h2>
            \(Self.scatter(comparison.changes))
            <h2>Largest changes</h2>
            \(Self.table(
                ["question", "first", "second"],
                comparison.largestChanges(50).map {
                    [$0.text, Figures.decimals($0.first), Figures.decimals($0.second)]
                }
            ))
            """
        )
    }

    // MARK: The page

    private static func page(title: String, _ body: String) -> String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(Self.escaped(title))</title>
        <style>
        :root { color-scheme: light dark; }
        body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
        table { border-collapse: collapse; }
        th, td { border-bottom: 1px solid #8884; padding: .25rem .75rem .25rem 0; text-align: left; vertical-align: top; }
        td:not(:first-child) { font-variant-numeric: tabular-nums; }
        svg { height: auto; max-width: 100%; }
        svg text { fill: currentColor; font-size: 12px; }
        .mark { fill: #2f7ed8; }
        .line { stroke: currentColor; stroke-opacity: .4; }
        .interval { stroke: #2f7ed8; stroke-width: 3; }
        </style>
        </head>
        <body>
        <h1>\(Self.escaped(title))</h1>
        \(body)
        </body>
        </html>

        """
    }

    private static func table(_ heads: [String], _ rows: [[String]]) -> String {
        let head =
            heads.contains { !$0.isEmpty } ? "<tr>\(heads.map { "<th>\(Self.escaped($0))</th>" }.joined())</tr>" : ""
        let body = rows.map { row in "<tr>\(row.map { "<td>\(Self.escaped($0))</td>" }.joined())</tr>" }
        return "<table>\(head)\(body.joined(separator: "\n"))</table>"
    }

    /// Text with everything escaped that means something in HTML: questions come from files.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    // MARK: Plots

    /// How many scores from 0 to 1 there are in each tenth.
    private static func histogram(_ scores: [Double]) -> String {
        var counts = [Int](repeating: 0, count: 10)
        for score in scores { counts[min(9, max(0, Int(score * 10)))] += 1 }
        let labels = counts.indices.map { "\(Double($0) / 10)" }
        return Self.columns(Array(zip(labels, counts.map(Double.init))), label: { "\(Int($0))" })
    }

    private static func bars(_ values: [(String, Double)]) -> String {
        Self.columns(values, label: Figures.decimals)
    }

    private static func columns(_ values: [(String, Double)], label: (Double) -> String) -> String {
        let highest = max(values.map(\.1).max() ?? 0, .leastNonzeroMagnitude)
        let width = 64
        let columns = values.enumerated().map { index, value in
            let height = Self.rounded(value.1 / highest * 160)
            let left = index * width + 10
            return """
                <rect class="mark" x="\(left)" y="\(Self.rounded(180 - height))" width="48" height="\(height)"/>\
                <text x="\(left)" y="\(Self.rounded(174 - height))">\(Self.escaped(label(value.1)))</text>\
                <text x="\(left)" y="196">\(Self.escaped(value.0))</text>
                """
        }
        let all = values.count * width + 20
        return """
            <svg viewBox="0 0 \(all) 204" width="\(all)" role="img" aria-label="columns">\
            <line class="line" x1="0" y1="180" x2="\(all)" y2="180"/>\(columns.joined())</svg>
            """
    }

    private static func intervals(_ metrics: [(name: String, result: PairedComparison)]) -> String {
        var bounds = [0.0]
        for metric in metrics { bounds += [metric.result.interval.lowerBound, metric.result.interval.upperBound] }
        let low = bounds.min() ?? 0
        let spread = max((bounds.max() ?? 0) - low, 0.001)
        func x(_ value: Double) -> Double { Self.rounded(120 + (value - low) / spread * 480) }
        let rows = metrics.enumerated().map { index, metric in
            let y = index * 26 + 20
            let result = metric.result
            return """
                <text x="0" y="\(y + 4)">\(Self.escaped(metric.name))</text>\
                <line class="interval" x1="\(x(result.interval.lowerBound))" y1="\(y)" \
                x2="\(x(result.interval.upperBound))" y2="\(y)"/>\
                <circle class="mark" cx="\(x(result.difference))" cy="\(y)" r="5"/>\
                <text x="620" y="\(y + 4)">\(Figures.signed(result.difference))</text>
                """
        }
        let height = metrics.count * 26 + 10
        return """
            <svg viewBox="0 0 700 \(height)" width="700" role="img" aria-label="changes with their intervals">\
            <line class="line" x1="\(x(0))" y1="0" x2="\(x(0))" y2="\(height)"/>\(rows.joined())</svg>
            """
    }

    private static func scatter(_ changes: [EvaluationComparison.Change]) -> String {
        let points = changes.map { change in
            """
            <circle class="mark" fill-opacity=".5" cx="\(Self.rounded(30 + change.first * 300))" \
            cy="\(Self.rounded(330 - change.second * 300))" r="4"><title>\(Self.escaped(change.text))</title></circle>
            """
        }
        return """
            <svg viewBox="0 0 350 360" width="350" role="img" aria-label="second run against first">\
            <line class="line" x1="30" y1="330" x2="330" y2="30"/>\
            <line class="line" x1="30" y1="330" x2="330" y2="330"/><line class="line" x1="30" y1="330" x2="30" y2="30"/>\
            <text x="140" y="352">first run</text><text x="34" y="24">second run</text>\(points.joined())</svg>
            """
    }

    private static func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }
}
