/// Looks for a match of a pattern in a text, by trying one way after the other.
///
/// Some patterns have very many ways to match, so the steps are counted and bounded, and so are the ways that are kept
/// to go back to.
struct PatternMatcher {
    /// The steps are used up, or too many ways are open, before it is known whether the text matches.
    enum GivenUp: Error { case steps, choices }

    /// How many ways may be open at a time: 32 MB of them.
    static let maximumChoices = 1_000_000

    /// What to go back to when a way does not work out.
    private enum Choice {
        case branch(instruction: Int, position: Int)
        case giveBack(instruction: Int, from: Int, to: Int)
        case restore(slot: Int, value: Int)
    }

    private let program: PatternProgram
    private let text: [Unicode.Scalar]
    /// Positions by slot, or -1 where there is none.
    private var slots: [Int]
    private var choices: [Choice] = []
    private var steps: Int

    /// Whether a pattern matches somewhere in a text.
    ///
    /// `steps` says how many instructions may be carried out, and is reduced by those that were.
    ///
    /// A byte of the text counts as one, because the text is unpacked before the first of them.
    static func matches(_ program: PatternProgram, in text: String, steps: inout Int) throws(GivenUp) -> Bool {
        let unpacking = text.utf8.count + program.slotCount / 16
        guard unpacking <= steps else { throw .steps }
        steps -= unpacking
        var matcher = PatternMatcher(program: program, text: Array(text.unicodeScalars), steps: steps)
        defer { steps = matcher.steps }
        let lastStart = program.isAnchored ? 0 : matcher.text.count
        for start in 0...lastStart where try matcher.run(from: 0, at: start) {
            return true
        }
        return false
    }

    private init(program: PatternProgram, text: [Unicode.Scalar], steps: Int) {
        self.program = program
        self.text = text
        self.slots = Array(repeating: -1, count: program.slotCount)
        self.steps = steps
    }

    /// Carries out instructions until one says that the text matches, or no choice is left.
    private mutating func run(from first: Int, at start: Int) throws(GivenUp) -> Bool {
        let bottom = self.choices.count
        var instruction = first
        var position = start
        while true {
            try self.spend(1)
            var isAlive = true
            switch self.program.instructions[instruction] {
            case .set(let set, let isBackward):
                let index = isBackward ? position - 1 : position
                if self.text.indices.contains(index), self.program.sets[set].contains(self.text[index]) {
                    position += isBackward ? -1 : 1
                } else {
                    isAlive = false
                }
                instruction += 1
            case .run(let set, let minimum, let maximum):
                let end = try self.endOfRun(of: self.program.sets[set], at: position, maximum: maximum)
                isAlive = end - position >= minimum
                instruction += 1
                if isAlive, end > position + minimum {
                    try self.push(.giveBack(instruction: instruction, from: end - 1, to: position + minimum))
                }
                position = end
            case .split(let preferred, let other):
                try self.push(.branch(instruction: other, position: position))
                instruction = preferred
            case .jump(let target):
                instruction = target
            case .save(let slot):
                try self.set(slot, to: position)
                instruction += 1
            case .clear(let range):
                try self.spend(range.count)
                for slot in range { try self.set(slot, to: -1) }
                instruction += 1
            case .progress(let slot):
                isAlive = self.slots[slot] != position
                instruction += 1
            case .backreference(let group, let isBackward):
                if let length = try self.lengthOfRepeat(of: group, at: position, isBackward: isBackward) {
                    position += isBackward ? -length : length
                } else {
                    isAlive = false
                }
                instruction += 1
            case .start:
                isAlive = position == 0
                instruction += 1
            case .end:
                isAlive = position == self.text.count
                instruction += 1
            case .wordBoundary(let isNegated):
                isAlive = (self.isWord(position - 1) != self.isWord(position)) != isNegated
                instruction += 1
            case .look(let isNegated, let target):
                isAlive = try self.look(from: instruction + 1, at: position, isNegated: isNegated)
                instruction = target
            case .match:
                return true
            }
            if !isAlive {
                guard self.goBack(to: bottom, &instruction, &position) else { return false }
            }
        }
    }

    /// Tries the body of a look-ahead or look-behind.
    ///
    /// What the groups in it matched stays only if it is not negated.
    private mutating func look(from first: Int, at position: Int, isNegated: Bool) throws(GivenUp) -> Bool {
        let bottom = self.choices.count
        try self.spend(self.slots.count / 8)
        let saved = self.slots
        let isMatch = try self.run(from: first, at: position)
        // Once a look has matched, its other ways are not tried any more.
        self.choices.removeLast(self.choices.count - bottom)
        let matched = self.slots
        self.slots = saved
        if isMatch, !isNegated {
            for slot in matched.indices where matched[slot] != saved[slot] { try self.set(slot, to: matched[slot]) }
        }
        return isMatch != isNegated
    }

    private mutating func goBack(to bottom: Int, _ instruction: inout Int, _ position: inout Int) -> Bool {
        while self.choices.count > bottom, let choice = self.choices.popLast() {
            switch choice {
            case .restore(let slot, let value):
                self.slots[slot] = value
            case .branch(let target, let start):
                (instruction, position) = (target, start)
                return true
            case .giveBack(let target, let from, let to):
                (instruction, position) = (target, from)
                if from > to { self.choices.append(.giveBack(instruction: target, from: from - 1, to: to)) }
                return true
            }
        }
        return false
    }

    private mutating func set(_ slot: Int, to value: Int) throws(GivenUp) {
        try self.push(.restore(slot: slot, value: self.slots[slot]))
        self.slots[slot] = value
    }

    private mutating func push(_ choice: Choice) throws(GivenUp) {
        guard self.choices.count < Self.maximumChoices else { throw .choices }
        self.choices.append(choice)
    }

    private mutating func spend(_ steps: Int) throws(GivenUp) {
        self.steps -= steps
        guard self.steps >= 0 else { throw .steps }
    }

    private mutating func endOfRun(of set: ScalarSet, at start: Int, maximum: Int) throws(GivenUp) -> Int {
        var end = start
        while end < self.text.count, end - start < maximum, set.contains(self.text[end]) { end += 1 }
        try self.spend(end - start)
        return end
    }

    /// How long the text is that a group has matched, if the same text comes again.
    ///
    /// A group without a match is empty.
    private mutating func lengthOfRepeat(of group: Int, at position: Int, isBackward: Bool) throws(GivenUp) -> Int? {
        let (start, end) = (self.slots[2 * group], self.slots[2 * group + 1])
        guard start >= 0, end >= start else { return 0 }
        let length = end - start
        let other = isBackward ? position - length : position
        guard other >= 0, other + length <= self.text.count else { return nil }
        try self.spend(length)
        return self.text[start..<end].elementsEqual(self.text[other..<other + length]) ? length : nil
    }

    private func isWord(_ position: Int) -> Bool {
        self.text.indices.contains(position) && ScalarSet.word.contains(self.text[position])
    }
}
