/// A regular expression as instructions for ``PatternMatcher``.
struct PatternProgram: Sendable {
    enum Instruction: Sendable {
        /// Consumes one scalar of a set, forwards or, inside of a look-behind, backwards.
        case set(Int, isBackward: Bool)
        /// Consumes as many scalars of a set as it can, and gives back one after the other if that does not work out.
        case run(Int, minimum: Int, maximum: Int)
        /// Goes on at the first target, and later at the second if that does not work out.
        case split(Int, Int)
        case jump(Int)
        /// Remembers the position.
        case save(Int)
        /// Forgets what the groups have matched, before their part is repeated.
        case clear(Range<Int>)
        /// Fails if nothing was consumed since the position in a slot was saved.
        case progress(Int)
        case backreference(Int, isBackward: Bool)
        case start
        case end
        case wordBoundary(isNegated: Bool)
        /// Tries the instructions that follow up to `match`, then goes on at the target.
        case look(isNegated: Bool, target: Int)
        case match
    }

    private(set) var instructions: [Instruction] = []
    private(set) var sets: [ScalarSet] = []
    private var indices: [ScalarSet: Int] = [:]
    private let maximumSize: Int
    /// The parts that were translated, those counted that add no instruction.
    private var partCount = 0
    private(set) var slotCount: Int
    /// Whether a match can begin at the start of the text only.
    private(set) var isAnchored = false

    /// Translates a pattern.
    ///
    /// - Throws: A ``PatternError`` if it is not valid, or if it has more instructions than `maximumSize` with its
    ///   repetitions written out.
    init(_ pattern: String, maximumSize: Int) throws(PatternError) {
        let (node, groupCount) = try PatternParser.parse(pattern)
        self.maximumSize = maximumSize
        self.slotCount = 2 * (groupCount + 1)
        try self.add(node, isBackward: false)
        try self.append(.match)
        self.isAnchored = Self.isAnchored(node)
        self.indices = [:]
    }

    private static func isAnchored(_ node: PatternNode) -> Bool {
        switch node {
        case .start: true
        case .sequence(let parts): parts.first.map(Self.isAnchored) ?? false
        case .alternatives(let parts): parts.allSatisfy(Self.isAnchored)
        case .group(let part, _): Self.isAnchored(part)
        default: false
        }
    }

    private mutating func add(_ node: PatternNode, isBackward: Bool) throws(PatternError) {
        self.partCount += 1
        guard self.partCount <= 2 * self.maximumSize + 2 else { throw self.tooLarge }
        switch node {
        case .empty: break
        case .set(let set): try self.append(.set(self.index(of: set), isBackward: isBackward))
        case .sequence(let parts):
            for part in isBackward ? parts.reversed() : parts { try self.add(part, isBackward: isBackward) }
        case .alternatives(let parts): try self.addAlternatives(parts, isBackward: isBackward)
        case .quantified(let part, let minimum, let maximum, let isGreedy):
            if !isBackward, isGreedy, case .set(let set) = part {
                try self.append(.run(self.index(of: set), minimum: minimum, maximum: maximum ?? Int.max))
            } else {
                try self.addRepetition(part, minimum, maximum, isGreedy: isGreedy, isBackward: isBackward)
            }
        case .group(let part, let index):
            try self.append(.save(2 * index + (isBackward ? 1 : 0)))
            try self.add(part, isBackward: isBackward)
            try self.append(.save(2 * index + (isBackward ? 0 : 1)))
        case .backreference(let index): try self.append(.backreference(index, isBackward: isBackward))
        case .start: try self.append(.start)
        case .end: try self.append(.end)
        case .wordBoundary(let isNegated): try self.append(.wordBoundary(isNegated: isNegated))
        case .look(let part, let isBehind, let isNegated):
            let look = self.instructions.count
            try self.append(.match)
            try self.add(part, isBackward: isBehind)
            try self.append(.match)
            self.instructions[look] = .look(isNegated: isNegated, target: self.instructions.count)
        }
    }

    private mutating func addAlternatives(_ parts: [PatternNode], isBackward: Bool) throws(PatternError) {
        var jumps: [Int] = []
        for (number, part) in parts.enumerated() {
            let split = self.instructions.count
            let isLast = number == parts.count - 1
            if !isLast { try self.append(.match) }
            try self.add(part, isBackward: isBackward)
            if isLast { break }
            jumps.append(self.instructions.count)
            try self.append(.match)
            self.instructions[split] = .split(split + 1, self.instructions.count)
        }
        for jump in jumps { self.instructions[jump] = .jump(self.instructions.count) }
    }

    private mutating func addRepetition(
        _ part: PatternNode,
        _ minimum: Int,
        _ maximum: Int?,
        isGreedy: Bool,
        isBackward: Bool
    ) throws(PatternError) {
        let groups = Self.groups(in: part)
        let clear: Instruction? = groups.isEmpty ? nil : .clear(2 * groups.lowerBound..<2 * groups.upperBound)
        for _ in 0..<minimum {
            if let clear { try self.append(clear) }
            try self.add(part, isBackward: isBackward)
        }
        var splits: [Int] = []
        let isUnbounded = maximum == nil
        for _ in 0..<(maximum.map { $0 - minimum } ?? 1) {
            let split = self.instructions.count
            splits.append(split)
            try self.append(.match)
            if let clear { try self.append(clear) }
            let slot = self.slotCount
            self.slotCount += 1
            try self.append(.save(slot))
            try self.add(part, isBackward: isBackward)
            try self.append(.progress(slot))
            if isUnbounded { try self.append(.jump(split)) }
        }
        let end = self.instructions.count
        for split in splits { self.instructions[split] = isGreedy ? .split(split + 1, end) : .split(end, split + 1) }
    }

    /// The indices of the groups in a part, which follow each other.
    private static func groups(in node: PatternNode) -> Range<Int> {
        switch node {
        case .group(let part, let index):
            let inner = self.groups(in: part)
            return index..<max(index + 1, inner.upperBound)
        case .sequence(let parts), .alternatives(let parts):
            let ranges = parts.map(self.groups).filter { !$0.isEmpty }
            guard let first = ranges.first, let last = ranges.last else { return 0..<0 }
            return first.lowerBound..<last.upperBound
        case .quantified(let part, _, _, _), .look(let part, _, _): return self.groups(in: part)
        default: return 0..<0
        }
    }

    private mutating func index(of set: ScalarSet) -> Int {
        // Repetitions that are written out use the same sets again and again.
        if let index = self.indices[set] { return index }
        self.indices[set] = self.sets.count
        self.sets.append(set)
        return self.sets.count - 1
    }

    private mutating func append(_ instruction: Instruction) throws(PatternError) {
        guard self.instructions.count < self.maximumSize else { throw self.tooLarge }
        self.instructions.append(instruction)
    }

    private var tooLarge: PatternError {
        PatternError(message: "It is too large when its repetitions are written out.", isTooLarge: true)
    }
}
