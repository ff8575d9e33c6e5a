import ArgumentParser
import Foundation
import JSON
import Knowledge
import KnowledgePostgres
import KnowledgeSQLite
import Logging
import Postgres
import Synchronization

/// Measures what a query costs over made-up collections of several sizes.
@main
struct KnowledgeBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "knowledge-bench",
        abstract: "Measure the cost of knowledge.query by the number of chunks.",
        discussion: """
            CPU time is that of this process; the embedding of the question is left out. Recall@10 compares the nearest \
            chunks with those of an exact scan. With --database, all is in PostgreSQL, in a schema that has to be empty; \
            the server's own CPU time is counted with --server-pid. With --bulk, one size is loaded at once, and searches \
            are by meaning alone: a million chunks take about ten minutes.
            """
    )

    @Option(help: "The numbers of chunks, ascending, separated by commas.")
    var chunks = "1000,10000,100000"

    @Option(help: "How many questions are asked at each size.")
    var questions = 200

    @Option(help: "A directory for the files; by default a temporary one, which is removed.")
    var directory: String?

    @Option(help: "The URL of a PostgreSQL database, instead of SQLite.")
    var database: String?

    @Option(help: "The first process of the PostgreSQL server, whose CPU time, and that of its children, is counted.")
    var serverPID: Int?

    @Option(help: "Values of hnsw.ef_search, separated by commas; each is measured on the same rows.")
    var searchWidths: String?

    @Flag(
        help: "Copy very short texts into the database and make the vector index at the end; search by meaning alone."
    )
    var bulk = false

    @Option(
        help: "A file for the questions of the largest size: a line of JSON each, with text, vector and nearest chunks."
    )
    var export: String?

    func validate() throws {
        if self.bulk, self.database == nil { throw ValidationError("--bulk needs --database.") }
        if self.searchWidths != nil, self.database == nil { throw ValidationError("--search-widths needs --database.") }
    }

    func run() async throws {
        let sizes = self.chunks.split(separator: ",").compactMap { Int($0) }
        let directory =
            self.directory.map { URL(filePath: $0) }
            ?? FileManager.default.temporaryDirectory.appending(path: "knowledge-bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { if self.directory == nil { try? FileManager.default.removeItem(at: directory) } }
        var stores: [any KnowledgeStore] = []
        var bulk: (PostgresKnowledgeStore, PostgresPool)?
        if let database {
            let pool = PostgresPool(try PostgresConfiguration(url: database), logger: Logger(label: "bench"))
            for width in self.widths {
                var limits = PostgresKnowledgeStore.Limits()
                if let width { limits.searchWidth = width }
                let store = PostgresKnowledgeStore(pool: pool, limits: limits, logger: Logger(label: "bench"))
                stores.append(store)
                if self.bulk { bulk = (store, pool) }
            }
        } else {
            stores = [try SQLiteKnowledgeStore(path: directory.appending(path: "knowledge.sqlite").path)]
        }
        var bench = Run(stores: stores, questionCount: self.questions, serverPID: self.serverPID)
        Self.show(
            "chunks\tload CPU s\tp50 ms\tp95 ms\tmean ms\tfiltered p95 ms\trecall@10\tfiltered recall@10\tMB resident"
                + (self.serverPID == nil ? "" : "\tserver mean ms\twall p50 ms\twall p95 ms")
        )
        if let (store, pool) = bulk, let size = sizes.last {
            try await bench.load(size, into: store, pool)
            for store in stores { Self.show(try await bench.line(store, mode: .dense)) }
        } else {
            for size in sizes {
                try await bench.grow(to: size)
                for store in stores { Self.show(try await bench.line(store, mode: .hybrid)) }
            }
        }
        if let export { try bench.exportQuestions(to: export) }
    }

    private var widths: [Int?] {
        self.searchWidths?.split(separator: ",").map { Int($0) } ?? [nil]
    }

    /// At once, also into a file: a run takes long.
    private static func show(_ line: String) {
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }
}

/// A collection that grows.
private struct Run {
    /// The same rows, searched in different ways.
    let stores: [any KnowledgeStore]
    let questionCount: Int
    let serverPID: Int?
    var questions: [(text: String, vector: [Float])] = []
    var collection = SyntheticCollection()
    /// All vectors with the tenants of their documents, for the exact answer.
    var vectors: [(document: String, index: Int, tenant: Int, vector: [Float])] = []
    var documentCount = 0
    var chunkCount = 0
    /// The CPU time in milliseconds that writing took.
    var loadTime = 0.0
    /// What an exact scan finds for the first questions, among all chunks and among those of tenant 7.
    var truth: [(all: Set<String>, filtered: Set<String>)] = []

    init(stores: [any KnowledgeStore], questionCount: Int, serverPID: Int?) {
        self.stores = stores
        self.questionCount = questionCount
        self.serverPID = serverPID
    }

    /// Loads a collection at once.
    mutating func load(_ size: Int, into store: PostgresKnowledgeStore, _ pool: PostgresPool) async throws {
        var collection = BulkCollection(questionCount: self.questionCount, checkedCount: Self.checkedCount)
        let begin = CPUTime.milliseconds
        self.chunkCount = try await collection.load(size, into: store, pool)
        self.loadTime = CPUTime.milliseconds - begin
        self.questions = collection.questions
        self.truth = collection.nearest.map { ($0.all.names, $0.filtered.names) }
    }

    func line(_ store: any KnowledgeStore, mode: SearchMode) async throws -> String {
        let embedder = FixedEmbedder()
        let base = KnowledgeBase(store: store, embedder: embedder, now: { Date() })
        let questions = self.questions
        let options = KnowledgeQueryOptions(topK: 10, mode: mode)
        // The first query reads the vectors into memory.
        embedder.set(questions[0].vector)
        _ = try await base.query(questions[0].text, options: options)
        var times: [Double] = []
        var latencies: [Double] = []
        let serverBegin = self.serverPID.map { CPUTime.milliseconds(ofServer: $0) } ?? 0
        for question in questions {
            embedder.set(question.vector)
            let begin = CPUTime.milliseconds
            let start = ContinuousClock.now
            _ = try await base.query(question.text, options: options)
            times.append(CPUTime.milliseconds - begin)
            latencies.append(start.duration(to: .now) / .milliseconds(1))
        }
        let serverSpent = (self.serverPID.map { CPUTime.milliseconds(ofServer: $0) } ?? 0) - serverBegin
        let filter = DocumentFilter(
            metadata: [try MetadataCondition(MetadataPath("tenant"), .eq, 7)]
        )
        var filteredTimes: [Double] = []
        var recall = 0.0
        var filteredRecall = 0.0
        for (question, exact) in zip(questions, self.truth) {
            recall += try await self.recall(store, question.vector, DocumentFilter(), exact.all)
            filteredRecall += try await self.recall(store, question.vector, filter, exact.filtered)
        }
        for question in questions {
            let begin = CPUTime.milliseconds
            let request = CandidateRequest(
                terms: question.text.split(separator: " ").map(String.init),
                dense: .init(vector: question.vector, model: SyntheticCollection.model),
                limit: 100,
                filter: filter,
                mode: mode
            )
            _ = try await store.search(request) { Array($0.prefix(10)) }
            filteredTimes.append(CPUTime.milliseconds - begin)
        }
        times.sort()
        filteredTimes.sort()
        let mean = times.reduce(0, +) / Double(times.count)
        latencies.sort()
        let server =
            self.serverPID == nil
            ? []
            : [
                Self.text(serverSpent / Double(times.count)), Self.text(latencies[latencies.count / 2]),
                Self.text(latencies[latencies.count * 95 / 100]),
            ]
        let columns = [
            "\(self.chunkCount)", Self.text(self.loadTime / 1000), Self.text(times[times.count / 2]),
            Self.text(times[times.count * 95 / 100]), Self.text(mean),
            Self.text(filteredTimes[filteredTimes.count * 95 / 100]), Self.text(recall / Double(self.truth.count)),
            Self.text(filteredRecall / Double(self.truth.count)), "\(CPUTime.residentMegabytes)",
        ]
        return (columns + server).joined(separator: "\t")
    }

    /// Writes the last questions, and their nearest chunks if they were looked for, so that other programs can be asked
    /// the same.
    func exportQuestions(to path: String) throws {
        var text = ""
        for (index, question) in self.questions.enumerated() {
            let nearest = index < self.truth.count ? self.truth[index].all.sorted() : []
            let line: JSONValue = [
                "text": .string(question.text), "vector": .array(question.vector.map { .double(Double($0)) }),
                "nearest": .array(nearest.map { .string($0) }),
            ]
            text += line.serializedString() + "\n"
        }
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    /// Adds documents, one after the other, up to a size, and makes new questions.
    mutating func grow(to size: Int) async throws {
        self.loadTime = 0
        while self.vectors.count < size {
            let document = self.collection.document(self.documentCount)
            for entry in document.entries {
                self.vectors.append(
                    (document.document.id, entry.chunk.index, self.documentCount % 50, entry.vector ?? [])
                )
            }
            self.documentCount += 1
            let begin = CPUTime.milliseconds
            try await self.stores[0].write(document)
            self.loadTime += CPUTime.milliseconds - begin
        }
        self.chunkCount = self.vectors.count
        self.questions = (0..<self.questionCount).map { _ in self.collection.question() }
        self.truth = self.questions.prefix(Self.checkedCount).map { question in
            (self.exact(question.vector) { _ in true }, self.exact(question.vector) { $0 == 7 })
        }
    }

    /// How many questions are compared with an exact scan: with 20, two runs differed by .05.
    private static let checkedCount = 200

    private func exact(_ query: [Float], _ isAllowed: (Int) -> Bool) -> Set<String> {
        var nearest = BulkCollection.Nearest()
        for item in self.vectors where isAllowed(item.tenant) {
            nearest.offer("\(item.document) \(item.index)", SyntheticCollection.dot(item.vector, query))
        }
        return nearest.names
    }

    /// The share of the ten nearest chunks among the ten best by meaning, found as a query finds them: among as many
    /// candidates, by their exact cosines.
    private func recall(
        _ store: any KnowledgeStore,
        _ query: [Float],
        _ filter: DocumentFilter,
        _ exact: Set<String>
    ) async throws -> Double {
        let request = CandidateRequest(
            terms: [],
            dense: .init(vector: query, model: SyntheticCollection.model),
            limit: 100,
            filter: filter,
            mode: .dense
        )
        let response = try await store.search(request) { candidates in
            Array(candidates.sorted { ($0.cosine ?? -1) > ($1.cosine ?? -1) }.prefix(10))
        }
        let found = response.hits.map { "\($0.chunk.documentID) \($0.chunk.index)" }
        return Double(exact.intersection(found).count) / Double(max(1, exact.count))
    }

    private static func text(_ number: Double) -> String { "\((number * 1000).rounded() / 1000)" }
}

/// Answers with a vector that was set before, so that embedding costs nothing.
private final class FixedEmbedder: Embedder {
    let model = SyntheticCollection.model
    private let vector = Mutex<[Float]>([])

    func set(_ vector: [Float]) { self.vector.withLock { $0 = vector } }
    func embed(_ texts: [String]) async throws -> [[Float]] { texts.map { _ in self.vector.withLock { $0 } } }
    func tokenCount(of text: String) -> Int { text.split(separator: " ").count }
    func tokenSpans(of text: String) -> [Range<Int>] { [] }
}

/// What this process has used.
private enum CPUTime {
    static var milliseconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1000 + Double(time.tv_nsec) / 1_000_000
    }

    /// What a server and its children have used; the kernel counts it in ticks of 10 ms.
    static func milliseconds(ofServer pid: Int) -> Double {
        let children = (try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)) ?? ""
        let processes = [pid] + children.split(separator: " ").compactMap { Int($0) }
        return processes.reduce(0) { sum, process in
            guard let line = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return sum }
            // The name, in parentheses, may have spaces; utime, stime, cutime and cstime are fields 14 to 17.
            let fields = line.split(separator: ")").last?.split(separator: " ") ?? []
            return sum + (fields.count > 14 ? fields[11...14].compactMap { Double($0) }.reduce(0, +) * 10 : 0)
        }
    }

    static var residentMegabytes: Int {
        let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")
        return (fields.flatMap { $0.count > 1 ? Int($0[1]) : nil } ?? 0) * 4096 / 1_000_000
    }
}
