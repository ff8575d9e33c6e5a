import Crypto
import JSON
import MCP

/// A secret with which the server seals what clients carry for it.
///
/// All replicas need the same keys, or they refuse what another one sealed.
public struct SealingKey: Sendable {
    let key: SymmetricKey

    /// A key that nobody else has: right for one replica.
    public init() {
        self.key = SymmetricKey(size: .bits256)
    }

    /// - Parameter bytes: Any secret of at least 32 bytes; the key is derived from it.
    public init(bytes: [UInt8]) {
        precondition(bytes.count >= 32, "A sealing key has at least 32 bytes.")
        self.key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: bytes),
            info: Array("gantry sealing v1".utf8),
            outputByteCount: 32
        )
    }
}

/// Seals values that clients carry from one request to the next, so that nobody can read, change or lend them.
///
/// AES-256-GCM with a random nonce. What a value is for (its purpose, the principal, the request) is authenticated but
/// not in the text; with anything else in its place the value does not open. The first key seals, all keys open.
struct Sealer: Sendable {
    /// Values are longer than this only when somebody plays tricks.
    static let maximumTextBytes = 128 << 10

    private let keys: [SealingKey]

    init(keys: [SealingKey]) {
        precondition(keys.isEmpty == false, "There is a key to seal with.")
        self.keys = keys
    }

    /// Seals a value until an expiry, in seconds since 1970.
    func seal(_ value: JSONObject, expiry: Int, context: [UInt8]) throws -> String {
        let content = JSONValue.object(["e": .integer(expiry), "v": .object(value)]).serialized()
        let box = try AES.GCM.seal(content, using: self.keys[0].key, authenticating: context)
        guard let combined = box.combined else { throw CryptoKitError.incorrectParameterSize }
        return "v1." + Base64.encode(combined, .url)
    }

    /// Opens a value.
    ///
    /// - Returns: Nothing if it was not sealed here for this context, was changed, or has expired.
    func open(_ text: String, now: Int, context: [UInt8]) -> JSONObject? {
        guard text.utf8.count <= Self.maximumTextBytes, text.hasPrefix("v1."),
            let combined = Base64.decode(text.utf8.dropFirst(3), .url),
            let box = try? AES.GCM.SealedBox(combined: combined)
        else { return nil }
        for key in self.keys {
            guard let content = try? AES.GCM.open(box, using: key.key, authenticating: context) else { continue }
            guard let opened = try? JSONValue(parsing: Array(content)), let expiry = opened["e"]?.intValue, expiry > now
            else { return nil }
            return opened["v"]?.objectValue
        }
        return nil
    }
}

extension JSONValue {
    /// The same value with all keys in order, so that equal values have equal bytes.
    var canonical: JSONValue {
        switch self {
        case .array(let elements): .array(elements.map(\.canonical))
        case .object(let object):
            .object(JSONObject(object.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value.canonical) }))
        default: self
        }
    }

    /// SHA-256 of the canonical form.
    var digest: [UInt8] {
        Array(SHA256.hash(data: self.canonical.serialized()))
    }
}
