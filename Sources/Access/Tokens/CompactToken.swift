import JSON
import MCP

/// A signed token, read strictly and not believed yet (RFC 7515, section 7.1; RFC 8725).
struct CompactToken {
    /// How large a token may be.
    static let maximumBytes = 16 << 10
    /// How deeply its JSON may be nested.
    static let maximumDepth = 16
    /// Headers that point to a key of the sender's choice.
    ///
    /// Keys come from the issuer only.
    private static let keyHeaders = ["jwk", "jku", "x5u"]
    /// The types of access tokens (RFC 9068, section 2.1; RFC 7519, section 5.1).
    private static let types: Set<String> = ["jwt", "at+jwt"]

    let algorithm: SigningAlgorithm
    let keyID: String?
    let claims: JSONObject
    /// What was signed.
    let input: [UInt8]
    let signature: [UInt8]

    init(_ text: String) throws(AuthenticationError) {
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.maximumBytes else {
            throw AuthenticationError(.invalidToken, "The token is larger than \(Self.maximumBytes) bytes.")
        }
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3 else {
            throw AuthenticationError(.invalidToken, "The token is not a signed JWT with three parts.")
        }
        let header = try Self.object(parts[0], "header")
        let algorithm = try Self.algorithm(header)
        let keyID = try Self.keyID(header)
        try Self.check(header)
        guard parts[2].isEmpty == false, let signature = Base64.decode(parts[2], .url) else {
            throw AuthenticationError(.invalidToken, "The signature of the token is missing or not base64url.")
        }
        self.algorithm = algorithm
        self.keyID = keyID
        self.claims = try Self.object(parts[1], "payload")
        self.input = Array(bytes[..<parts[1].endIndex])
        self.signature = signature
    }

    private static func object(_ part: ArraySlice<UInt8>, _ name: String) throws(AuthenticationError) -> JSONObject {
        guard let decoded = Base64.decode(part, .url) else {
            throw AuthenticationError(.invalidToken, "The \(name) of the token is not base64url without padding.")
        }
        let limits = JSONLimits(
            maximumDepth: Self.maximumDepth,
            maximumBytes: Self.maximumBytes,
            duplicateKeys: .reject
        )
        do throws(JSONError) {
            if let object = try JSONValue(parsing: decoded, limits: limits).objectValue { return object }
        } catch  where error.code == .duplicateKey {
            throw AuthenticationError(.invalidToken, "The \(name) of the token has a member twice.")
        } catch {
            throw AuthenticationError(.invalidToken, "The \(name) of the token is not JSON.")
        }
        throw AuthenticationError(.invalidToken, "The \(name) of the token is not a JSON object.")
    }

    private static func algorithm(_ header: JSONObject) throws(AuthenticationError) -> SigningAlgorithm {
        guard let name = header["alg"]?.stringValue, let algorithm = SigningAlgorithm(rawValue: name) else {
            let accepted = SigningAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
            throw AuthenticationError(.invalidToken, "The token has no signature that is accepted: \(accepted).")
        }
        return algorithm
    }

    private static func keyID(_ header: JSONObject) throws(AuthenticationError) -> String? {
        guard let value = header["kid"] else { return nil }
        guard let id = value.stringValue, (1...KeySet.maximumKeyIDBytes).contains(id.utf8.count) else {
            throw AuthenticationError(.invalidToken, "The kid of the token is not a short string.")
        }
        return id
    }

    private static func check(_ header: JSONObject) throws(AuthenticationError) {
        // Extensions that have to be understood: none is (RFC 7515, section 4.1.11; RFC 7797, section 6).
        guard header["crit"] == nil, header["b64"] == nil else {
            throw AuthenticationError(.invalidToken, "The token wants an extension that this server does not know.")
        }
        guard Self.keyHeaders.allSatisfy({ header[$0] == nil }) else {
            throw AuthenticationError(.invalidToken, "The token brings a key of its own.")
        }
        guard let value = header["typ"] else { return }
        var type = value.stringValue?.lowercased() ?? ""
        if type.hasPrefix("application/") { type = String(type.dropFirst("application/".count)) }
        guard Self.types.contains(type) else {
            throw AuthenticationError(.invalidToken, "The typ of the token is not that of an access token.")
        }
    }
}
