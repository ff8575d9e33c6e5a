import Crypto
public import JSON

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
    ]
    /// How secrets begin that are recognised by that alone.
    private static let secretPrefixes = [
        "gantry_", "ghp_", "gho_", "ghs_", "ghu_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "xapp-", "AKIA", "ASIA",
        "sk-",
        "sk_live_", "rk_live_", "AIza", "ya29.", "npm_", "pypi-", "dckr_pat_", "hvs.", "ATATT", "SG.",
    ]
    /// Names that look like those of secrets and are none.
    private static let harmlessNames: Set<String> = ["max_tokens", "token_count", "page_token", "next_page_token"]

    /// The arguments as JSON without secrets, and the digest of all of it.
    static func redacted(_ arguments: JSONObject) -> (text: String, digest: String) {
        let clean = self.clean(.object(arguments))
        let whole = clean.serialized()
        let digest = SHA256.hash(data: whole).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let cut = self.cut(clean).serialized()
        guard cut.count <= self.maximumBytes else { return ("{\"cut\":\(whole.count)}", digest) }
        return (String(decoding: cut, as: UTF8.self), digest)
    }

    /// The value without secrets.
    public static func clean(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let object):
            .object(
                JSONObject(
                    object.map { key, value in
                        (
                            key: key,
                            value: self.isSecret(name: key) && value.isNull == false
                                ? .string(self.placeholder) : self.clean(value)
                        )
                    }
                )
            )
        case .array(let list): .array(list.map(self.clean))
        case .string(let text): .string(self.clean(text))
        default: value
        }
    }

    private static func isSecret(name: String) -> Bool {
        let name = name.lowercased().replacing("-", with: "_")
        guard self.harmlessNames.contains(name) == false else { return false }
        return self.secretNames.contains { name.contains($0) }
    }

    /// The text with the words that are secrets taken out.
    private static func clean(_ text: String) -> String {
        if text.contains("-----BEGIN "), text.contains("PRIVATE KEY-----") { return self.placeholder }
        guard text.utf8.count >= 8, self.mayHoldSecret(text) else { return text }
        var result = ""
        var word = ""
        for scalar in text.unicodeScalars {
            if self.isWordScalar(scalar) {
                word.unicodeScalars.append(scalar)
            } else {
                result += self.isSecret(word: word) ? self.placeholder : word
                result.unicodeScalars.append(scalar)
                word = ""
            }
        }
        return result + (self.isSecret(word: word) ? self.placeholder : word)
    }

    private static func mayHoldSecret(_ text: String) -> Bool {
        text.contains("eyJ") || self.secretPrefixes.contains { text.contains($0) }
            || text.contains("://")
    }

    private static func isWordScalar(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace == false && scalar != "\"" && scalar != "'" && scalar != "=" && scalar != ","
            && scalar != "(" && scalar != ")" && scalar != "<" && scalar != ">" && scalar != "&" && scalar != "?"
    }

    private static func isSecret(word: String) -> Bool {
        guard word.utf8.count >= 12 else { return false }
        if self.secretPrefixes.contains(where: { word.hasPrefix($0) }) { return true }
        // A signed token.
        if word.hasPrefix("eyJ"), word.utf8.count(where: { $0 == UInt8(ascii: ".") }) >= 2 { return true }
        // An address with a password in it.
        guard let start = word.firstRange(of: "://")?.upperBound else { return false }
        let authority = word[start...].prefix { $0 != "/" }
        guard let at = authority.lastIndex(of: "@") else { return false }
        return authority[..<at].contains(":")
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
