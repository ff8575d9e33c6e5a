/// A reference to a container image, such as `registry.example.com:5000/shop/web:1.4.2@sha256:…`.
///
/// Follows the grammar of the distribution project's reference package, which container runtimes use:
/// `[domain "/"] path [":" tag] ["@" digest]`.
struct ImageReference: Hashable, Sendable, CustomStringConvertible {
    /// Longest reference that is read, in bytes.
    static let maximumLength = 1_024
    /// Longest path, in bytes; what registries accept.
    static let maximumPathLength = 255

    /// The registry with its port, or nil where the runtime's own default (usually Docker Hub) applies.
    let domain: String?
    /// The repository in the registry.
    let path: String
    /// The version by name, which the owner of the repository can move.
    let tag: String?
    /// The version by content, as `sha256:` and 64 hexadecimal digits; it can't be moved.
    let digest: String?

    /// Reads a reference.
    ///
    /// - Throws: A ``NotationError`` that says which part is wrong.
    init(parsing text: String) throws(NotationError) {
        guard !text.isEmpty else { throw NotationError("Name an image, for example registry.example.com/web:1.4.2.") }
        guard text.utf8.count <= Self.maximumLength else {
            throw NotationError("An image reference has at most \(Self.maximumLength) characters.")
        }
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw NotationError("An image reference has only printable ASCII characters and no spaces.")
        }
        guard !text.contains("://") else {
            throw NotationError("An image reference has no scheme: leave out everything up to ://.")
        }
        guard !(text.utf8.count == 64 && text.utf8.allSatisfy(Self.isLowercaseHex)) else {
            throw NotationError("64 hexadecimal digits are an image ID, which no registry can look up.")
        }

        let named: Substring
        if let at = text.firstIndex(of: "@") {
            self.digest = try Self.parseDigest(text[text.index(after: at)...])
            named = text[..<at]
        } else {
            self.digest = nil
            named = text[...]
        }

        // A colon before the last slash belongs to the port of the registry.
        let lastComponent = named.lastIndex(of: "/").map { named.index(after: $0) } ?? named.startIndex
        var name = named
        if let colon = named[lastComponent...].lastIndex(of: ":") {
            self.tag = try Self.parseTag(named[named.index(after: colon)...])
            name = named[..<colon]
        } else {
            self.tag = nil
        }

        var path = name
        if let slash = name.firstIndex(of: "/"), Self.isDomain(name[..<slash]) {
            self.domain = try Self.parseDomain(name[..<slash])
            path = name[name.index(after: slash)...]
        } else {
            self.domain = nil
        }
        self.path = try Self.parsePath(path)
    }

    /// What is wrong with a text as an image reference, or nil if nothing is.
    static func problem(_ text: String) -> String? {
        do throws(NotationError) { _ = try Self(parsing: text) } catch { return error.message }
        return nil
    }

    /// The reference as it was written.
    var description: String {
        (self.domain.map { "\($0)/" } ?? "") + self.path + (self.tag.map { ":\($0)" } ?? "")
            + (self.digest.map { "@\($0)" } ?? "")
    }

    /// Whether the runtime fetches whatever the repository's owner calls `latest` at that moment.
    var followsLatest: Bool { self.digest == nil && (self.tag == nil || self.tag == "latest") }

    /// The tag as the value of a label: at most 63 characters that begin and end with a letter or digit.
    ///
    /// Nil if there is no tag, if nothing of it remains, or if it is `latest`, which names no version.
    var versionLabel: String? {
        guard let tag = self.tag, tag != "latest" else { return nil }
        var label = tag.utf8.drop { !Self.isAlphanumeric($0) }.prefix(63)
        while let last = label.last, !Self.isAlphanumeric(last) { label.removeLast() }
        return label.isEmpty ? nil : String(Substring(label))
    }

    // MARK: - Parts

    private static func parseDigest(_ text: Substring) throws(NotationError) -> String {
        let lengths = ["sha256": 64, "sha384": 96, "sha512": 128]
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let length = lengths[String(parts[0])] else {
            throw NotationError("What follows @ is a digest: sha256: and 64 hexadecimal digits (or sha384, sha512).")
        }
        guard parts[1].utf8.count == length, parts[1].utf8.allSatisfy(Self.isLowercaseHex) else {
            throw NotationError("A \(parts[0]) digest has exactly \(length) lower-case hexadecimal digits.")
        }
        return String(text)
    }

    private static func parseTag(_ text: Substring) throws(NotationError) -> String {
        let isWord = { (byte: UInt8) in Self.isAlphanumeric(byte) || byte == UInt8(ascii: "_") }
        guard let first = text.utf8.first, isWord(first), text.utf8.count <= 128,
            text.utf8.allSatisfy({ isWord($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") })
        else {
            throw NotationError(
                "A tag has 1 to 128 letters, digits, underscores, points and hyphens, and starts with none of the last two."
            )
        }
        return String(text)
    }

    /// Whether the first component names a registry: it holds a point, a colon or an upper-case letter, or is `localhost`.
    private static func isDomain(_ component: Substring) -> Bool {
        component == "localhost" || component.contains(where: { $0 == "." || $0 == ":" || $0.isUppercase })
    }

    private static func parseDomain(_ text: Substring) throws(NotationError) -> String {
        var host = text
        var port: Substring?
        if let bracket = text.lastIndex(of: "]") {
            host = text[...bracket]
            let rest = text[text.index(after: bracket)...]
            guard rest.isEmpty || rest.first == ":" else { throw Self.invalidDomain }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        if let port {
            guard port.utf8.allSatisfy(Self.isDigit), let number = Int(port), (1...65_535).contains(number) else {
                throw NotationError("The port of the registry has to be a number from 1 to 65535.")
            }
        }
        let isValid = host.first == "[" ? Self.isBracketedIPv6(host) : Self.isHostName(host)
        guard isValid else { throw Self.invalidDomain }
        return String(text)
    }

    private static let invalidDomain = NotationError(
        "The registry has to be a host name or address, with a port if needed, for example registry.example.com:5000."
    )

    private static func isHostName(_ host: Substring) -> Bool {
        host.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
            guard let first = label.first, let last = label.last else { return false }
            return Self.isAlphanumeric(first) && Self.isAlphanumeric(last)
                && label.allSatisfy { Self.isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
        }
    }

    private static func isBracketedIPv6(_ host: Substring) -> Bool {
        let address = host.dropFirst().dropLast()
        return host.last == "]" && address.contains(":")
            && address.utf8.allSatisfy { Self.isLowercaseHex($0 | 0x20) || $0 == UInt8(ascii: ":") }
    }

    private static func parsePath(_ text: Substring) throws(NotationError) -> String {
        guard text.utf8.count <= maximumPathLength else {
            throw NotationError("The repository has at most \(maximumPathLength) characters.")
        }
        guard !text.contains(where: \.isUppercase) else {
            throw NotationError("The repository is written in lower case.")
        }
        let components = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard components.allSatisfy(Self.isPathComponent) else {
            throw NotationError(
                "Each part of the repository has lower-case letters and digits, joined by a point, one or two underscores, "
                    + "or hyphens, for example team/web-shop."
            )
        }
        return String(text)
    }

    /// Whether letters and digits are joined by nothing but `.`, `_`, `__` or a row of hyphens.
    private static func isPathComponent(_ component: Substring.UTF8View) -> Bool {
        guard let last = component.last, Self.isLowercaseAlphanumeric(last) else { return false }
        var rest = component
        while let first = rest.first {
            guard Self.isLowercaseAlphanumeric(first) else { return false }
            rest = rest.drop(while: Self.isLowercaseAlphanumeric)
            let separator = rest.prefix { !Self.isLowercaseAlphanumeric($0) }
            rest = rest.dropFirst(separator.count)
            let isJoint =
                switch String(Substring(separator)) {
                case "", ".", "_", "__": true
                default: separator.allSatisfy { $0 == UInt8(ascii: "-") }
                }
            guard isJoint else { return false }
        }
        return true
    }

    // MARK: - Characters

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isLowercaseAlphanumeric(_ byte: UInt8) -> Bool {
        Self.isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        Self.isLowercaseAlphanumeric(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }

    private static func isLowercaseHex(_ byte: UInt8) -> Bool {
        Self.isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}
