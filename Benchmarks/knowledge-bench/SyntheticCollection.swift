import Foundation
import JSON
import Knowledge

/// Documents and questions that are made up, the same on every run, with the properties that the cost of a search depends
/// on: word frequencies follow Zipf's law, and vectors lie in clusters.
struct SyntheticCollection {
    static let model = EmbeddingModel(name: "synthetic", dimension: 384, maximumTokens: 256)
    static let chunksPerDocument = 20
    static let tenants = 50
    private static let wordsPerChunk = 150
    private static let vocabulary = 60_000
    private static let topics = 200

    private var generator = SplitMix64(state: 1)
    private let centres: [[Float]]
    /// The share of all words that the words up to a rank have together.
    private let cumulated: [Double]

    init() {
        var generator = SplitMix64(state: 2)
        self.centres = (0..<Self.topics).map { _ in Self.direction(&generator) }
        var sum = 0.0
        self.cumulated = (1...Self.vocabulary).map { rank in
            // Words that every text has are left out of questions; so the law begins a little further down.
            sum += 1 / (Double(rank) + 20)
            return sum
        }
    }

    /// Makes the next document.
    mutating func document(_ number: Int) -> IndexedDocument {
        var text = ""
        var entries: [IndexedDocument.Entry] = []
        for index in 0..<Self.chunksPerDocument {
            let words = (0..<Self.wordsPerChunk).map { _ in self.word() }.joined(separator: " ")
            let start = text.utf8.count
            text += words + "\n\n"
            let chunk = Chunk(
                index: index,
                headingPath: ["Section \(index)"],
                text: words,
                span: start..<start + words.utf8.count,
                context: "Document \(number) > Section \(index)"
            )
            entries.append(IndexedDocument.Entry(chunk: chunk, identifierParts: "", vector: self.vector()))
        }
        return IndexedDocument(
            document: Document(
                id: "document-\(number)",
                source: "made/up/\(number % Self.tenants)/\(number).txt",
                title: "Document \(number)",
                text: text,
                blocks: [],
                metadata: ["tenant": .integer(number % Self.tenants)]
            ),
            contentHash: "\(number)",
            model: Self.model,
            entries: entries,
            indexedAt: Date(timeIntervalSince1970: 1_700_000_000)
        )
    }

    /// Makes a question of eight words, common and rare ones, and a vector near a topic.
    mutating func question() -> (text: String, vector: [Float]) {
        ((0..<8).map { _ in self.word() }.joined(separator: " "), self.vector())
    }

    /// Makes a vector near one of the topics.
    mutating func vector() -> [Float] {
        let centre = self.centres[Int.random(in: 0..<Self.topics, using: &self.generator)]
        let noise = Self.direction(&self.generator)
        return Self.normalised(zip(centre, noise).map { 0.6 * $0 + 0.8 * $1 })
    }

    private mutating func word() -> String {
        let share = Double.random(in: 0..<(self.cumulated.last ?? 1), using: &self.generator)
        var low = 0
        var high = self.cumulated.count
        while low < high {
            let middle = (low + high) / 2
            if self.cumulated[middle] < share { low = middle + 1 } else { high = middle }
        }
        return Self.spelling(of: low)
    }

    /// A word that can be spoken, a different one for every rank.
    private static func spelling(of rank: Int) -> String {
        let consonants = Array("bdfgklmnprtvz")
        let vowels = Array("aiou")
        var word = ""
        var rest = rank
        repeat {
            word.append(consonants[rest % consonants.count])
            rest /= consonants.count
            word.append(vowels[rest % vowels.count])
            rest /= vowels.count
        } while rest > 0
        return word + "k"
    }

    static func dot(_ first: [Float], _ second: [Float]) -> Float {
        first.withUnsafeBufferPointer { first in
            second.withUnsafeBufferPointer { second in
                var sums = SIMD16<Float>()
                let whole = min(first.count, second.count) / 16 * 16
                for start in stride(from: 0, to: whole, by: 16) {
                    let x = UnsafeRawBufferPointer(first).loadUnaligned(
                        fromByteOffset: start * 4,
                        as: SIMD16<Float>.self
                    )
                    let y = UnsafeRawBufferPointer(second)
                        .loadUnaligned(fromByteOffset: start * 4, as: SIMD16<Float>.self)
                    sums += x * y
                }
                return (whole..<min(first.count, second.count)).reduce(sums.sum()) { $0 + first[$1] * second[$1] }
            }
        }
    }

    private static func direction(_ generator: inout SplitMix64) -> [Float] {
        // The sum of a few even distributions is close enough to a normal one.
        self.normalised(
            (0..<self.model.dimension).map { _ in
                (0..<4).reduce(Float(0)) { sum, _ in sum + Float.random(in: -1...1, using: &generator) }
            }
        )
    }

    private static func normalised(_ vector: [Float]) -> [Float] {
        let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return vector.map { $0 / length }
    }
}

/// Random numbers that are the same on every run.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (self.state ^ (self.state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
