import GRDB
import Knowledge
import Testing

/// The analysis in Swift has to cut and shorten words as SQLite's does, so that all stores find the same documents.
@Suite("Words of the full-text index")
struct LexicalAnalyzerTests {
    private static func sqliteTerms(in texts: [String]) throws -> [[String]] {
        try DatabaseQueue().write { database in
            try database.execute(
                sql: """
                    CREATE VIRTUAL TABLE words USING fts5(text, tokenize = 'porter unicode61 remove_diacritics 2');
                    CREATE VIRTUAL TABLE terms USING fts5vocab(words, instance);
                    """
            )
            for (index, text) in texts.enumerated() {
                try database.execute(sql: "INSERT INTO words (rowid, text) VALUES (?, ?)", arguments: [index, text])
            }
            var terms = [[String]](repeating: [], count: texts.count)
            let rows = try Row.fetchCursor(database, sql: "SELECT doc, term FROM terms ORDER BY doc, offset")
            while let row = try rows.next() { terms[row[0]].append(row[1]) }
            return terms
        }
    }

    @Test("Every ending after every kind of stem is taken off as SQLite does")
    func endings() throws {
        let stems = [
            "a", "e", "y", "b", "to", "by", "ski", "relat", "condit", "val", "digit", "oper", "feudal", "decis", "hope",
            "call", "form", "sens", "adjust", "hopp", "fall", "fizz", "fail", "fil", "tann", "hiss", "conflat",
            "troubl",
            "siz", "crypt", "happ", "sk", "yell", "sayy", "qu", "ox", "mix", "plow", "adopt", "gener", "électr",
            "xyz123",
        ]
        let endings = [
            "", "s", "ss", "sses", "ies", "eed", "ed", "ing", "y", "ational", "tional", "enci", "anci", "izer", "logi",
            "bli", "alli", "entli", "eli", "ousli", "ization", "ation", "ator", "alism", "iveness", "fulness",
            "ousness", "aliti", "iviti", "biliti", "icate", "ative", "alize", "iciti", "ical", "ful", "ness", "al",
            "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "sion", "tion", "ou",
            "ism", "ate", "iti", "ous", "ive", "ize", "e", "ll", "lle", "ated", "bling", "izing", "lled", "ying",
        ]
        let words = stems.flatMap { stem in endings.flatMap { [stem + $0, stem + $0 + "s", stem + $0 + "ly"] } }
        let expected = try Self.sqliteTerms(in: words)
        for (word, terms) in zip(words, expected) { #expect(LexicalAnalyzer.terms(in: word) == terms, "\(word)") }
    }

    @Test("Random words too")
    func randomWords() throws {
        var generator = SeededGenerator(state: 11)
        let letters = Array("aeiouysltzgnmbdrcwx")
        let words = (0..<5000).map { _ in
            String(
                (0..<Int.random(in: 1...12, using: &generator)).map { _ in letters.randomElement(using: &generator)! }
            )
        }
        let expected = try Self.sqliteTerms(in: words)
        for (word, terms) in zip(words, expected) { #expect(LexicalAnalyzer.terms(in: word) == terms, "\(word)") }
    }

    @Test(
        "Text is cut at the same places",
        arguments: [
            "snake_case-and.dots/paths \"quotes\" C++ f(x) 3.14 1e5", "Ärger über Größe, naïve café e\u{301}te\u{301}",
            "ΑΒΓ αβγ Привет ёлка МИР", "日本語 テキスト한국어", "½ ² Ⅳ ４２", "don't it’s O'Neil", "x\u{1}y\tz\nw",
            "ǅungla ﬁne Straße İstanbul", "a\u{301}\u{302}b \u{301}c d\u{301}", "smile😀smile", "עברית العربية हिन्दी",
            "HTTPServer2 maxRetries", String(repeating: "ab", count: 40) + "ing", "Ångström ÅNGSTRÖM Dvořák Łódź",
        ]
    )
    func texts(text: String) throws {
        #expect(LexicalAnalyzer.terms(in: text) == (try Self.sqliteTerms(in: [text])[0]))
    }
}
