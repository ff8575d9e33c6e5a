/// Takes the endings off English words by Porter's algorithm.
///
/// "An algorithm for suffix stripping" (1980) describes it; its author changed it a little later (`bli` and `logi` in
/// step 2).
///
/// SQLite's full-text search does the same to words of 3 to 64 bytes, so that both stores find the same words.
enum PorterStemmer {
    /// Replaces a word, in lower case, by its stem.
    ///
    /// - Parameter word: The bytes of one word in UTF-8. Whatever isn't a Latin letter counts as a consonant.
    static func stem(_ word: inout [UInt8]) {
        guard (3...64).contains(word.count) else { return }
        self.step1(&word)
        self.replaceFirst(of: Self.step2, in: &word, minimumMeasure: 1)
        self.replaceFirst(of: Self.step3, in: &word, minimumMeasure: 1)
        self.step4(&word)
        self.step5(&word)
    }

    // MARK: The steps

    /// Plurals and participles.
    private static func step1(_ word: inout [UInt8]) {
        if self.ends(word, "sses") || self.ends(word, "ies") {
            word.removeLast(2)
        } else if self.ends(word, "s"), !self.ends(word, "ss") {
            word.removeLast()
        }
        if self.ends(word, "eed") {
            if self.measure(word, dropping: 3) > 0 { word.removeLast() }
        } else if let ending = [2, 3].first(where: { self.ends(word, $0 == 2 ? "ed" : "ing") }),
            self.hasVowel(word, dropping: ending)
        {
            word.removeLast(ending)
            self.repair(&word)
        }
        if self.ends(word, "y"), self.hasVowel(word, dropping: 1) { word[word.count - 1] = UInt8(ascii: "i") }
    }

    /// Gives a word back what `ed` and `ing` took along.
    private static func repair(_ word: inout [UInt8]) {
        let endings = ["at", "bl", "iz"]
        if endings.contains(where: { self.ends(word, $0) }) {
            word.append(UInt8(ascii: "e"))
        } else if self.endsInDoubleConsonant(word), let last = word.last, !Self.keptDoubles.contains(last) {
            word.removeLast()
        } else if self.measure(word, dropping: 0) == 1, self.endsInShortSyllable(word, dropping: 0) {
            word.append(UInt8(ascii: "e"))
        }
    }

    private static func replaceFirst(
        of rules: [(ending: String, replacement: String)],
        in word: inout [UInt8],
        minimumMeasure: Int
    ) {
        guard let rule = rules.first(where: { self.ends(word, $0.ending) }) else { return }
        let length = rule.ending.utf8.count
        guard self.measure(word, dropping: length) >= minimumMeasure else { return }
        word.removeLast(length)
        word += rule.replacement.utf8
    }

    private static func step4(_ word: inout [UInt8]) {
        guard let ending = Self.step4.first(where: { self.ends(word, $0) }) else { return }
        let length = ending.utf8.count
        guard self.measure(word, dropping: length) > 1 else { return }
        if ending == "ion" {
            guard word.count > 3, Self.beforeIon.contains(word[word.count - 4]) else { return }
        }
        word.removeLast(length)
    }

    private static func step5(_ word: inout [UInt8]) {
        if self.ends(word, "e") {
            let measure = self.measure(word, dropping: 1)
            if measure > 1 || (measure == 1 && !self.endsInShortSyllable(word, dropping: 1)) { word.removeLast() }
        }
        if self.ends(word, "ll"), self.measure(word, dropping: 1) > 1 { word.removeLast() }
    }

    // MARK: The conditions

    private static func ends(_ word: [UInt8], _ ending: String) -> Bool {
        let ending = ending.utf8
        return word.count > ending.count && word.suffix(ending.count).elementsEqual(ending)
    }

    /// `y` is a vowel after a consonant.
    private static func isVowel(_ word: [UInt8], _ index: Int) -> Bool {
        switch word[index] {
        case UInt8(ascii: "a"), UInt8(ascii: "e"), UInt8(ascii: "i"), UInt8(ascii: "o"), UInt8(ascii: "u"): true
        case UInt8(ascii: "y"): index > 0 && !self.isVowel(word, index - 1)
        default: false
        }
    }

    /// How often consonants follow vowels: the m of the paper.
    private static func measure(_ word: [UInt8], dropping ending: Int) -> Int {
        var measure = 0
        var wasVowel = false
        for index in 0..<word.count - ending {
            let isVowel = self.isVowel(word, index)
            if wasVowel, !isVowel { measure += 1 }
            wasVowel = isVowel
        }
        return measure
    }

    private static func hasVowel(_ word: [UInt8], dropping ending: Int) -> Bool {
        (0..<word.count - ending).contains { self.isVowel(word, $0) }
    }

    private static func endsInDoubleConsonant(_ word: [UInt8]) -> Bool {
        // Here `y` is a consonant wherever it stands.
        word.count > 1 && word[word.count - 1] == word[word.count - 2] && !Self.vowels.contains(word[word.count - 1])
    }

    /// Consonant, vowel, consonant, the last not `w`, `x` or `y`: the *o of the paper.
    private static func endsInShortSyllable(_ word: [UInt8], dropping ending: Int) -> Bool {
        let end = word.count - ending
        guard end > 2 else { return false }
        return !self.isVowel(word, end - 3) && self.isVowel(word, end - 2) && !self.isVowel(word, end - 1)
            && !Self.notShort.contains(word[end - 1])
    }

    private static let vowels = Array("aeiou".utf8)
    private static let keptDoubles = Array("lsz".utf8)
    private static let beforeIon = Array("st".utf8)
    private static let notShort = Array("wxy".utf8)

    private static let step2 = [
        ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"), ("logi", "log"),
        ("bli", "ble"), ("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"), ("ization", "ize"),
        ("ation", "ate"), ("ator", "ate"), ("alism", "al"), ("iveness", "ive"), ("fulness", "ful"),
        ("ousness", "ous"), ("aliti", "al"), ("iviti", "ive"), ("biliti", "ble"),
    ]

    private static let step3 = [
        ("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", ""),
    ]

    private static let step4 = [
        "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate",
        "iti", "ous", "ive", "ize",
    ]
}
