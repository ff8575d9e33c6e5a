import Crypto
public import JSON
import MCP

/// Takes secrets out of the arguments of calls before they are kept.
public enum Redaction {
    /// How long a text may be before it is cut, in bytes.
    static let maximumTextBytes = 1024
    /// How long all arguments together may be, in bytes; longer ones are kept as their digest alone.
    static let maximumBytes = 8 << 10
    private static let placeholder = "[redacted]"

    /// Parts of names that mean that the value is a secret.
    private static let secretNames = [
        "password", "passwd", "passphrase", "secret", "token", "apikey", "api_key", "access_key", "private_key",
        "authorization", "credential", "cookie", "signature", "pin_code", "client_key",
    ].map { Array($0.utf8) }
    /// How secrets begin that are recognised by that alone, by their first bytes.
    private static let secretPrefixes = Dictionary(
        grouping: [
            "gantry_", "ghp_", "gho_", "ghs_", "ghu_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "xapp-", "AKIA",
            "ASIA", "sk-", "sk_live_", "rk_live_", "AIza", "ya29.", "npm_", "pypi-", "dckr_pat_", "hvs.", "ATATT",
            "SG.",
        ].map { Array($0.utf8) }
    ) { $0[0] }
    /// Names that look like those of secrets and are none.
    private static let harmlessNames: Set<String> = [
        "max_tokens", "token_count", "page_token", "next_page_token", "fencing_token",
    ]
    /// The shortest word that is a secret, in bytes.
    private static let minimumSecretBytes = 12

    /// The arguments as JSON without secrets, and the digest of all of it.
    static func redacted(_ arguments: JSONObject) -> (text: String, digest: String) {
        let clean = self.clean(.object(arguments))
        let whole = clean.serialized()
        let digest = Hexadecimal.encode(SHA256.hash(data: whole).withUnsafeBytes(Array.init))
        // What is that short has no text that is cut.
        let cut = whole.count <= self.maximumTextBytes ? whole : self.cut(clean).serialized()
        guard cut.count <= self.maximumBytes else { return ("{\"cut\":\(whole.count)}", digest) }
        return (String(decoding: cut, as: UTF8.self), digest)
    }

    /// The value without secrets.
    public static func clean(_ value: JSONValue) -> JSONValue { self.cleaned(value) ?? value }

    /// The value without its secrets; nothing if it has none.
    private static func cleaned(_ value: JSONValue) -> JSONValue? {
        switch value {
        case .object(let object):
            var result: JSONObject?
            for (key, value) in object {
                let isSecret = self.isSecret(name: key) && value.isNull == false
                guard let clean = isSecret ? .string(self.placeholder) : self.cleaned(value) else { continue }
                if result == nil { result = object }
                result?[key] = clean
            }
            return result.map(JSONValue.object)
        case .array(let list):
            var result: [JSONValue]?
            for (index, value) in list.enumerated() {
                guard let clean = self.cleaned(value) else { continue }
                if result == nil { result = list }
                result?[index] = clean
            }
            return result.map(JSONValue.array)
        case .string(let text): return self.cleaned(text).map(JSONValue.string)
        default: return nil
        }
    }

    private static func isSecret(name: String) -> Bool {
        let name = name.lowercased().utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }
        let looksSecret = name.withUnsafeBufferPointer { name in
            self.secretNames.contains { self.holds(name, $0) }
        }
        return looksSecret && self.harmlessNames.contains(String(decoding: name, as: UTF8.self)) == false
    }

    /// The text with the words that are secrets taken out; nothing if it has none.
    ///
    /// It works on bytes, since every text of every call comes by here.
    private static func cleaned(_ text: String) -> String? {
        guard text.utf8.count >= self.minimumSecretBytes else { return nil }
        var text = text
        return text.withUTF8 { bytes -> String? in
            if self.holds(bytes, self.keyBeginning), self.holds(bytes, self.keyEnd) { return self.placeholder }
            var result: [UInt8] = []
            /// Up to where the text is in the result; nothing of it is as long as there was no secret.
            var taken = 0
            var start = 0
            var position = 0
            while start < bytes.count {
                var separator = 0
                while position < bytes.count {
                    separator = self.separator(bytes, at: position)
                    if separator > 0 { break }
                    position += 1
                }
                if self.isSecret(word: UnsafeBufferPointer(rebasing: bytes[start..<position])) {
                    result += bytes[taken..<start]
                    result += self.placeholder.utf8
                    taken = position
                }
                position += separator
                start = position
            }
            guard taken > 0 else { return nil }
            result += bytes[taken...]
            return String(decoding: result, as: UTF8.self)
        }
    }

    /// How many bytes the character has that separates words at a position; 0 if none does.
    private static func separator(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int) -> Int {
        switch bytes[position] {
        case 0x09...0x0D, UInt8(ascii: " "), UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "="),
            UInt8(ascii: ","), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "<"), UInt8(ascii: ">"),
            UInt8(ascii: "&"), UInt8(ascii: "?"):
            return 1
        // The other white space of Unicode has two or three bytes.
        case 0xC2: return bytes[position + 1] == 0x85 || bytes[position + 1] == 0xA0 ? 2 : 0
        case 0xE1...0xE3:
            let scalar =
                UInt32(bytes[position] & 0x0F) << 12 | UInt32(bytes[position + 1] & 0x3F) << 6
                | UInt32(bytes[position + 2] & 0x3F)
            return Unicode.Scalar(scalar)?.properties.isWhitespace == true ? 3 : 0
        default: return 0
        }
    }

    private static func isSecret(word: UnsafeBufferPointer<UInt8>) -> Bool {
        guard word.count >= self.minimumSecretBytes else { return false }
        if self.secretPrefixes[word[0]]?.contains(where: { word.starts(with: $0) }) == true { return true }
        // A signed token.
        if word.starts(with: "eyJ".utf8), word.count(where: { $0 == UInt8(ascii: ".") }) >= 2 { return true }
        // An address with a password in it.
        guard let start = self.position(in: word, of: self.schemeEnd) else { return false }
        let authority = word[(start + self.schemeEnd.count)...].prefix { $0 != UInt8(ascii: "/") }
        guard let at = authority.lastIndex(of: UInt8(ascii: "@")) else { return false }
        return authority[..<at].contains(UInt8(ascii: ":"))
    }

    private static let keyBeginning = Array("-----BEGIN ".utf8)
    private static let keyEnd = Array("PRIVATE KEY-----".utf8)
    private static let schemeEnd = Array("://".utf8)

    private static func holds(_ bytes: UnsafeBufferPointer<UInt8>, _ part: [UInt8]) -> Bool {
        self.position(in: bytes, of: part) != nil
    }

    /// Where a part of a text begins first.
    private static func position(in bytes: UnsafeBufferPointer<UInt8>, of part: [UInt8]) -> Int? {
        guard bytes.count >= part.count else { return nil }
        return part.withUnsafeBufferPointer { part in
            (0...(bytes.count - part.count)).first { start in
                bytes[start] == part[0] && part.indices.allSatisfy { bytes[start + $0] == part[$0] }
            }
        }
    }

    private static func cut(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let object): .object(JSONObject(object.map { (key: $0.key, value: self.cut($0.value)) }))
        case .array(let list): .array(list.map(self.cut))
        case .string(let text) where text.utf8.count > self.maximumTextBytes:
            .string(
                String(decoding: text.utf8.prefix(self.maximumTextBytes), as: UTF8.self)
                    + "… (\(text.utf8.count) bytes)"
            )
        default: value
        }
    }
}
