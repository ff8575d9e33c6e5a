/// The path to a value inside a JSON document (RFC 6901), such as `/items/0/name`.
public struct JSONPointer: Sendable, Hashable, CustomStringConvertible {
    /// A text that is not a JSON pointer.
    public struct ParsingError: Error, Sendable, Hashable, CustomStringConvertible {
        /// What is wrong.
        public var message: String

        public var description: String { self.message }
    }

    /// The keys and indices on the way, without escapes.
    public var tokens: [String]

    /// Creates the pointer to the whole document.
    public init() { self.tokens = [] }

    /// Creates a pointer from keys and indices without escapes.
    public init(tokens: [String]) { self.tokens = tokens }

    /// Reads a pointer in its string form, with `~1` for a slash and `~0` for a tilde.
    ///
    /// - Throws: A ``ParsingError`` if the text is not empty and does not begin with a slash, or has another escape.
    public init(parsing text: String) throws(ParsingError) {
        self.tokens = []
        if text.isEmpty { return }
        guard text.utf8.first == UInt8(ascii: "/") else {
            throw ParsingError(message: "A JSON pointer is empty or begins with '/'.")
        }
        for token in text.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            self.tokens.append(try Self.unescape(token))
        }
    }

    /// The pointer to a member of the object that this one points to.
    public func appending(_ token: String) -> Self { Self(tokens: self.tokens + [token]) }

    /// The pointer to an element of the array that this one points to.
    public func appending(_ index: Int) -> Self { self.appending(String(index)) }

    /// The pointer in its string form.
    public var description: String {
        var text: [UInt8] = []
        for token in self.tokens {
            text.append(UInt8(ascii: "/"))
            for byte in token.utf8 {
                switch byte {
                case UInt8(ascii: "~"): text.append(contentsOf: "~0".utf8)
                case UInt8(ascii: "/"): text.append(contentsOf: "~1".utf8)
                default: text.append(byte)
                }
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    public static func == (left: Self, right: Self) -> Bool {
        left.tokens.count == right.tokens.count
            && zip(left.tokens, right.tokens).allSatisfy { $0.hasSameScalars(as: $1) }
    }

    public func hash(into hasher: inout Hasher) {
        for token in self.tokens { token.hashScalars(into: &hasher) }
    }

    private static func unescape(_ token: Substring.UTF8View) throws(ParsingError) -> String {
        var text: [UInt8] = []
        var bytes = token.makeIterator()
        while let byte = bytes.next() {
            guard byte == UInt8(ascii: "~") else {
                text.append(byte)
                continue
            }
            switch bytes.next() {
            case UInt8(ascii: "0"): text.append(UInt8(ascii: "~"))
            case UInt8(ascii: "1"): text.append(UInt8(ascii: "/"))
            default: throw ParsingError(message: "In a JSON pointer, '~' is followed by 0 or 1.")
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension JSONValue {
    /// The value that a pointer points to, or `nil` if there is none.
    public func value(at pointer: JSONPointer) -> JSONValue? {
        var value = self
        for token in pointer.tokens {
            let next: JSONValue?
            switch value {
            case .object(let object): next = object[token]
            case .array(let elements): next = Self.element(of: elements, at: token)
            default: next = nil
            }
            guard let next else { return nil }
            value = next
        }
        return value
    }

    private static func element(of elements: [JSONValue], at token: String) -> JSONValue? {
        // Digits only and no leading zero (RFC 6901, section 4).
        let isIndex = token.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard isIndex, token == "0" || token.utf8.first != UInt8(ascii: "0") else { return nil }
        guard let index = Int(token), index < elements.count else { return nil }
        return elements[index]
    }
}
