import NIOSSL

/// Where Redis is, and how long to wait for it.
public struct RedisConfiguration: Sendable, CustomStringConvertible {
    public var host: String
    public var port: Int
    /// Whether the connection is encrypted, with a certificate that is checked.
    public var usesTLS: Bool
    /// The path of a file with the authorities (PEM) that may have signed the certificate, or nothing for those of the system.
    public private(set) var certificateAuthorities: String?
    /// The ACL user; `default` where only a password is set.
    public var user: String
    /// The password, or nothing if the server asks for none.
    ///
    /// It is in no log and no error.
    public var password: String?
    /// The number of the database.
    public var database: Int
    /// What all keys and channels begin with, so that several servers can share one Redis.
    public var prefix = "gantry:"
    /// How long a connection may take to be there.
    public var connectTimeout = Duration.seconds(2)
    /// How long one answer may take.
    ///
    /// The connection is given up then, because answers come in order.
    public var commandTimeout = Duration.seconds(3)

    /// Reads a URL: `redis://[[user]:password@]host[:port][/database]`, or `rediss://…` for TLS.
    ///
    /// - Throws: ``RedisConfigurationError`` that says what is wrong, without the password.
    public init(url: String) throws(RedisConfigurationError) {
        func fail(_ reason: String) -> RedisConfigurationError {
            RedisConfigurationError("\(reason); write redis://user:password@host:6379/0, or rediss:// for TLS")
        }
        var rest = url[...]
        if rest.hasPrefix("redis://") {
            self.usesTLS = false
            rest = rest.dropFirst("redis://".count)
        } else if rest.hasPrefix("rediss://") {
            self.usesTLS = true
            rest = rest.dropFirst("rediss://".count)
        } else {
            throw fail("the address has to begin with redis:// or rediss://")
        }
        self.user = "default"
        if let at = rest.lastIndex(of: "@") {
            let credentials = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard credentials.count == 2, let user = Self.decoded(credentials[0]),
                let password = Self.decoded(credentials[1]), !password.isEmpty
            else { throw fail("the part before @ has to be user:password, with %XX for special characters") }
            if !user.isEmpty { self.user = user }
            self.password = password
            rest = rest[rest.index(after: at)...]
        }
        let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let database = parts.count > 1 ? parts[1] : ""
        guard let number = database.isEmpty ? 0 : Int(database), (0...9999).contains(number) else {
            throw fail("the database has to be a number")
        }
        self.database = number
        var address = parts.first ?? ""
        var port: Substring?
        if address.hasPrefix("[") {
            guard let end = address.firstIndex(of: "]") else { throw fail("the host is not right") }
            let behind = address[address.index(after: end)...]
            if !behind.isEmpty {
                guard behind.hasPrefix(":") else { throw fail("the host is not right") }
                port = behind.dropFirst()
            }
            address = address[address.index(after: address.startIndex)..<end]
        } else if let colon = address.lastIndex(of: ":") {
            port = address[address.index(after: colon)...]
            address = address[..<colon]
        }
        guard !address.isEmpty, address.allSatisfy({ $0.isASCII && $0 > " " && $0 != "?" && $0 != "#" }) else {
            throw fail("the host is missing or not right")
        }
        self.host = String(address)
        guard let portNumber = port.map({ Int($0) }) ?? 6379, (1...65535).contains(portNumber) else {
            throw fail("the port has to be a number from 1 to 65535")
        }
        self.port = portNumber
    }

    /// Trusts other authorities than those of the system.
    ///
    /// - Parameter file: The path of a file with their certificates in PEM form.
    /// - Throws: ``RedisConfigurationError`` if there is no such file, or nothing is encrypted.
    public mutating func trust(authoritiesIn file: String) throws(RedisConfigurationError) {
        guard self.usesTLS else {
            throw RedisConfigurationError("This has no effect without TLS; begin REDIS_URL with rediss://.")
        }
        guard (try? NIOSSLCertificate.fromPEMFile(file).isEmpty) == false else {
            throw RedisConfigurationError("This is not the path of a file with certificates in PEM form.")
        }
        self.certificateAuthorities = file
    }

    /// The address, without the password.
    public var description: String {
        let host = self.host.contains(":") ? "[\(self.host)]" : self.host
        return "\(self.usesTLS ? "rediss" : "redis")://\(self.user)@\(host):\(self.port)/\(self.database)"
    }

    /// Puts bytes in the place of `%XX`; nothing if that is not right.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst(), let low = rest.popFirst(),
                let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
            else { return nil }
            bytes.append(value)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

/// Says what is wrong with an address of Redis.
public struct RedisConfigurationError: Error, CustomStringConvertible {
    public var description: String

    init(_ description: String) { self.description = description }
}
