public import JSON

/// What an evaluation gave, in the form in which it is kept and compared with others.
public struct EvaluationRecord: Sendable, Hashable {
    /// One question and how well it was answered.
    public struct Question: Sendable, Hashable {
        public var id: String
        public var text: String
        /// The metrics by their names, from 0 to 1 each.
        public var metrics: [String: Double]
        /// The best documents, at most ten, best first.
        public var found: [String]
        /// The documents that answer the question.
        public var relevant: [String]
    }

    /// The version of the form, the member `gantry_evaluation` of the file.
    public static let version = 1

    /// What the run is called in reports: a path or a name.
    public var name: String
    public var documentCount: Int
    public var chunkCount: Int
    public var mode: String
    public var model: String?
    /// The names of the metrics in the order in which they are shown.
    public var metricNames: [String]
    public var questions: [Question]

    /// Creates a record of a report.
    ///
    /// - Parameters:
    ///   - report: What an evaluation gave.
    ///   - set: The collection that was asked.
    ///   - name: What the run is called.
    public init(_ report: Evaluation.Report, of set: EvaluationSet, name: String) {
        self.name = name
        self.documentCount = report.documentCount
        self.chunkCount = report.chunkCount
        self.mode = report.mode.rawValue
        self.model = report.model
        self.metricNames = report.metrics.named.map(\.name)
        self.questions = set.queries.compactMap { query in
            guard let judgements = set.judgements[query.id] else { return nil }
            let ranking = report.run.documents(forQuery: query.id)
            let metrics = RetrievalMetrics(ranking: ranking, judgements: judgements).named
            return Question(
                id: query.id,
                text: query.text,
                metrics: Dictionary(uniqueKeysWithValues: metrics.map { ($0.name, $0.value) }),
                found: Array(ranking.prefix(10)),
                relevant: judgements.filter { $0.value > 0 }.keys.sorted()
            )
        }
    }

    /// The mean of a metric over all questions.
    public func mean(of metric: String) -> Double {
        guard !self.questions.isEmpty else { return 0 }
        return self.questions.reduce(0) { $0 + ($1.metrics[metric] ?? 0) } / Double(self.questions.count)
    }

    /// The record as a JSON object.
    public var json: JSONValue {
        [
            "gantry_evaluation": .integer(Self.version),
            "name": .string(self.name),
            "documents": .integer(self.documentCount),
            "chunks": .integer(self.chunkCount),
            "mode": .string(self.mode),
            "model": self.model.map(JSONValue.string) ?? .null,
            "metrics": .object(
                JSONObject(self.metricNames.map { (key: $0, value: .double(self.mean(of: $0))) })
            ),
            "questions": .array(
                self.questions.map { question in
                    [
                        "id": .string(question.id),
                        "text": .string(question.text),
                        "metrics": .object(
                            JSONObject(self.metricNames.map { (key: $0, value: .double(question.metrics[$0] ?? 0)) })
                        ),
                        "found": .array(question.found.map(JSONValue.string)),
                        "relevant": .array(question.relevant.map(JSONValue.string)),
                    ]
                }
            ),
        ]
    }

    /// Reads a record that ``json`` wrote.
    ///
    /// - Parameters:
    ///   - bytes: The contents of the file.
    ///   - name: What the run is called from now on.
    /// - Throws: ``KnowledgeError/Code/malformed`` if it is no such file, or one of another version.
    public init(parsing bytes: [UInt8], name: String) throws(KnowledgeError) {
        let json: JSONValue
        do {
            json = try JSONValue(parsing: bytes)
        } catch {
            throw KnowledgeError(.malformed, "\(name) is not JSON: \(error.message)")
        }
        guard json["gantry_evaluation"]?.intValue == Self.version, let metrics = json["metrics"]?.objectValue,
            let questions = json["questions"]?.arrayValue
        else {
            throw KnowledgeError(.malformed, "\(name) is no evaluation. Make one with: gantry eval --json FILE")
        }
        self.name = name
        self.documentCount = json["documents"]?.intValue ?? 0
        self.chunkCount = json["chunks"]?.intValue ?? 0
        self.mode = json["mode"]?.stringValue ?? ""
        self.model = json["model"]?.stringValue
        self.metricNames = metrics.map(\.key)
        self.questions = []
        for (index, value) in questions.enumerated() {
            guard let id = value["id"]?.stringValue, let own = value["metrics"]?.objectValue else {
                throw KnowledgeError(.malformed, "The question \(index + 1) of \(name) lacks id or metrics.")
            }
            self.questions.append(
                Question(
                    id: id,
                    text: value["text"]?.stringValue ?? "",
                    metrics: Dictionary(
                        own.map { ($0.key, $0.value.doubleValue ?? 0) },
                        uniquingKeysWith: { first, _ in first }
                    ),
                    found: (value["found"]?.arrayValue ?? []).compactMap(\.stringValue),
                    relevant: (value["relevant"]?.arrayValue ?? []).compactMap(\.stringValue)
                )
            )
        }
    }
}
