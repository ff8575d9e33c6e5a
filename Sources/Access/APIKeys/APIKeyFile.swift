public import Foundation
import JSON
import Synchronization

/// The API keys of a server, in a private file; what another process changes there counts from the next request on.
public final class APIKeyFile: APIKeyStore {
    private static let maximumBytes = 4 << 20

    private struct Read {
        var version: [Int]?
        var keys: [String: APIKey]
    }

    private let path: String
    private let now: @Sendable () -> Int
    private let last = Mutex<Read?>(nil)

    /// - Parameters:
    ///   - directory: Where the file is: `api-keys.json`.
    ///   - now: The time, in seconds since 1970.
    public init(directory: String, now: @escaping @Sendable () -> Int = { Int(Date().timeIntervalSince1970) }) {
        self.path = "\(directory)/api-keys.json"
        self.now = now
    }

    public func list() throws(KeyError) -> [APIKey] {
        try self.current().values.sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
    }

    public func create(_ request: APIKeyRequest) throws(KeyError) -> String {
        let now = self.now()
        let made = APIKey.make(request, now: now)
        try self.change { keys throws(KeyError) in
            // What has expired long ago is of no use to anybody.
            keys = keys.filter { $0.value.expiresAt > now - APIKeyRequest.maximumLifetime }
            guard keys.count < APIKeyRequest.maximumKeys else {
                throw KeyError(
                    "There are \(keys.count) API keys; there can't be more. Revoked ones go after they expire."
                )
            }
            keys[made.kept.id] = made.kept
        }
        return made.key
    }

    public func revoke(_ id: String) throws(KeyError) {
        try self.change { keys throws(KeyError) in
            guard keys[id] != nil else { throw KeyError("There is no API key \(id.prefix(64)).") }
            keys[id]?.isRevoked = true
        }
    }

    public func recognise(_ text: String) throws(AuthenticationError) -> APIKey? {
        guard text.hasPrefix(APIKey.prefix) else { return nil }
        let keys: [String: APIKey]
        do {
            keys = try self.current()
        } catch {
            throw AuthenticationError(.unavailable, "API keys can't be checked now.")
        }
        let presented = APIKey.parse(text)
        return try self.check(presented.flatMap { keys[$0.id] }, presented?.secret, now: self.now())
    }

    private func current() throws(KeyError) -> [String: APIKey] {
        try self.last.withLock { last throws(KeyError) in
            let version = PrivateFile.version(of: self.path)
            if let last, last.version == version { return last.keys }
            let keys = try self.read()
            last = Read(version: version, keys: keys)
            return keys
        }
    }

    private func read() throws(KeyError) -> [String: APIKey] {
        guard let bytes = try PrivateFile.read(self.path, limit: Self.maximumBytes) else { return [:] }
        guard let list = (try? JSONValue(parsing: bytes))?["keys"]?.arrayValue else {
            throw KeyError("\(self.path) is no list of API keys.")
        }
        let keys = list.compactMap { APIKey($0) }
        guard keys.count == list.count else { throw KeyError("\(self.path) has an entry that can't be read.") }
        return Dictionary(keys.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    private func change(_ change: (inout [String: APIKey]) throws(KeyError) -> Void) throws(KeyError) {
        // The directory has to be there before the file can be locked.
        if PrivateFile.version(of: self.path) == nil {
            try PrivateFile.save(Array("{\"keys\":[]}".utf8), to: self.path)
        }
        try PrivateFile.locking(self.path) { () throws(KeyError) in
            var keys = try self.read()
            try change(&keys)
            let list = keys.values.sorted { $0.id < $1.id }.map(\.json)
            try PrivateFile.save(JSONValue.object(["keys": .array(list)]).serialized(), to: self.path)
        }
    }
}
