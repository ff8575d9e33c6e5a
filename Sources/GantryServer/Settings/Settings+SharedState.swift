import Foundation
import JSON
import MCPServer
import SharedStateRedis

/// Settings of what replicas share.
extension Settings {
    /// The most keys of a ring: one that seals, and those before it that still open.
    static let maximumSealingKeys = 16

    static func redis(_ reader: inout SettingsReader) -> RedisConfiguration? {
        let authorities = reader.text(.redisAuthorities)
        guard let url = reader.text(.redisURL) else {
            if authorities != nil { reader.reject(.redisAuthorities, "This has no effect without REDIS_URL.") }
            return nil
        }
        var configuration: RedisConfiguration
        do {
            configuration = try RedisConfiguration(url: url)
        } catch {
            reader.reject(.redisURL, "\(error)")
            return nil
        }
        if let authorities {
            do {
                try configuration.trust(authoritiesIn: authorities)
            } catch {
                reader.reject(.redisAuthorities, "\(error)")
            }
        }
        return configuration
    }

    /// The keys of `GANTRY_SEALING_KEYS`: text, or the path of a file that holds it.
    ///
    /// Replicas that share a Redis need the same keys, or none opens what another one sealed. They don't make a key of
    /// their own there: a Redis that is restarted without its data would leave replicas with different keys.
    static func sealingKeys(_ reader: inout SettingsReader) -> [SealingKey] {
        guard let text = reader.text(.sealingKeys) else {
            if reader.found[.redisURL] != nil {
                reader.reject(
                    .sealingKeys,
                    "Set it too: REDIS_URL is set, and its replicas need the same key. Make one with: openssl rand -base64 32"
                )
            }
            return []
        }
        var keys = Self.keyRing(text)
        if keys == nil, let data = FileManager.default.contents(atPath: text), data.count <= 64 << 10 {
            keys = Self.keyRing(String(decoding: data, as: UTF8.self))
        }
        guard let keys else {
            reader.reject(
                .sealingKeys,
                """
                This must be 1 to \(Self.maximumSealingKeys) keys of 32 bytes in base64 with commas between them, the one \
                that seals first, or the path of a file that holds them.
                """
            )
            return []
        }
        return keys
    }

    /// Reads keys; nothing if one of them isn't right.
    private static func keyRing(_ text: String) -> [SealingKey]? {
        let parts = text.split { $0 == "," || $0.isWhitespace }
        guard (1...Self.maximumSealingKeys).contains(parts.count) else { return nil }
        var keys: [SealingKey] = []
        for part in parts {
            guard let bytes = Data(base64Encoded: String(part)), bytes.count == 32 else { return nil }
            keys.append(SealingKey(bytes: Array(bytes)))
        }
        return keys
    }
}
