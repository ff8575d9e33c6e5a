/// Makes new inputs from old ones: first the seeds as they are, then damaged copies.
struct Mutator {
    /// The longest input that is made.
    static let maximumBytes = 4096
    /// How many inputs with an outcome of their own are kept beside the seeds.
    private static let maximumFound = 512
    /// How many outcomes are told apart.
    private static let maximumOutcomes = 100_000
    private static let bytes: [UInt8] =
        Array("\"\\{}[]():,;.+-*/=?^$|_09aAeEuzZ \t\r\n".utf8)
        + [0, 0x1E, 0x1F, 0x7F, 0x80, 0xC3, 0xED, 0xEF, 0xF4, 0xFF]
    private static let brackets: [(open: String, close: String)] = [
        ("[", "]"), ("{\"a\":", "}"), ("[[],", "]"), ("{\"not\":", "}"), ("(", ")"),
    ]

    private let seeds: [[UInt8]]
    private let dictionary: [[UInt8]]
    private var found: [[UInt8]] = []
    private var outcomes: Set<Outcome> = []
    private var made = 0
    private var generator: SeededGenerator

    init(seeds: [[UInt8]], dictionary: [String], seed: UInt64) {
        self.seeds = seeds
        self.dictionary = dictionary.map { Array($0.utf8) }
        self.generator = SeededGenerator(seed: seed)
    }

    /// How many different outcomes there were.
    var outcomeCount: Int { self.outcomes.count }

    /// The next input.
    mutating func next() -> [UInt8] {
        defer { self.made += 1 }
        if self.made < self.seeds.count { return self.seeds[self.made] }
        var input = self.pick()
        for _ in 0..<(1 << self.below(3)) {
            self.mutate(&input)
        }
        if input.count > Self.maximumBytes { input.removeLast(input.count - Self.maximumBytes) }
        return input
    }

    /// Keeps an input whose outcome is new.
    mutating func learn(_ input: [UInt8], _ outcome: Outcome) {
        guard self.outcomes.count < Self.maximumOutcomes, self.outcomes.insert(outcome).inserted else { return }
        if self.found.count < Self.maximumFound {
            self.found.append(input)
        } else {
            self.found[self.below(self.found.count)] = input
        }
    }

    private mutating func mutate(_ input: inout [UInt8]) {
        let start = self.below(input.count + 1)
        let end = start + self.below(min(input.count - start, 64) + 1)
        switch self.below(12) {
        case 0 where start < input.count:
            input[start] ^= 1 << UInt8(self.below(8))
        case 1 where start < input.count:
            input[start] = Self.bytes[self.below(Self.bytes.count)]
        case 2:
            input.insert(Self.bytes[self.below(Self.bytes.count)], at: start)
        case 3:
            input.removeSubrange(start..<end)
        case 4:
            input.insert(contentsOf: input[start..<end], at: self.below(input.count + 1))
        case 5:
            let other = self.pick()
            input.replaceSubrange(start..., with: other[self.below(other.count + 1)...])
        case 6:
            let other = self.pick()
            let from = self.below(other.count + 1)
            input.insert(contentsOf: other[from..<(from + self.below(min(other.count - from, 64) + 1))], at: start)
        case 7:
            let (open, close) = Self.brackets[self.below(Self.brackets.count)]
            let depth = 1 << self.below(9)
            input.insert(contentsOf: String(repeating: close, count: depth).utf8, at: end)
            input.insert(contentsOf: String(repeating: open, count: depth).utf8, at: start)
        case 8, 9:
            // JSON stays JSON when one string becomes another, or what is between two strings.
            let other = self.pick()
            guard let old = Self.quoted(input, from: start),
                let new = Self.quoted(other, from: self.below(other.count + 1))
            else { return }
            input.replaceSubrange(old, with: other[new])
        case 10 where self.dictionary.isEmpty == false:
            input.replaceSubrange(start..<end, with: self.dictionary[self.below(self.dictionary.count)])
        default:
            guard self.dictionary.isEmpty == false else { return }
            input.insert(contentsOf: self.dictionary[self.below(self.dictionary.count)], at: start)
        }
    }

    /// The first piece between two quotation marks.
    private static func quoted(_ input: [UInt8], from start: Int) -> Range<Int>? {
        let quote = UInt8(ascii: "\"")
        guard let first = input[start...].firstIndex(of: quote) else { return nil }
        return input[(first + 1)...].firstIndex(of: quote).map { (first + 1)..<$0 }
    }

    /// A seed or an input that was found.
    private mutating func pick() -> [UInt8] {
        let index = self.below(self.seeds.count + self.found.count)
        return index < self.seeds.count ? self.seeds[index] : self.found[index - self.seeds.count]
    }

    private mutating func below(_ bound: Int) -> Int {
        Int(truncatingIfNeeded: self.generator.next(upperBound: UInt64(bound)))
    }
}
