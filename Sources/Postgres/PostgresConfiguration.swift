import Clibpq

/// Where a database is, and the limits of a connection to it.
public struct PostgresConfiguration: Sendable {
    /// How long opening a connection may take, the name lookup and TLS included.
    public var connectTimeout: Duration = .seconds(5)
    /// How long the server works on a statement before it stops it.
    public var statementTimeout: Duration = .seconds(30)
    /// How much longer the client waits for the answer, before it gives the connection up.
    ///
    /// That happens when the server is frozen or the network is cut.
    public var answerTimeout: Duration = .seconds(2)
    /// How long a transaction may be open without a statement before the server ends it.
    public var idleInTransactionTimeout: Duration = .seconds(60)
    /// How long a statement that was cancelled may take to end before the connection is given up.
    public var cancelTimeout: Duration = .seconds(1)
    /// How many prepared statements a connection keeps; the one that was not used for longest goes first.
    public var preparedStatementLimit = 128
    /// The name that `pg_stat_activity` shows, unless the URL has another.
    public var applicationName = "gantry"

    /// The parameters of the URL by libpq's names, such as `host` and `sslmode`.
    ///
    /// The password is among them.
    let parameters: [String: String]

    /// Creates a configuration from a URL such as `postgresql://user:password@host:5432/database?sslmode=require`.
    ///
    /// Everything that libpq understands is understood (PostgreSQL documentation, section 32.1): several hosts, sockets,
    /// `sslmode`, `sslrootcert`, `target_session_attrs` and so on.
    ///
    /// - Throws: ``PostgresError/Code/invalidConfiguration`` if the URL is not one. The message doesn't repeat it, since
    ///   it holds a password.
    public init(url: String) throws(PostgresError) {
        let invalid = PostgresError(
            .invalidConfiguration,
            "This is not a PostgreSQL URL; it has the form postgresql://user:password@host:5432/database. "
                + "Characters such as @, : and / in the password are written as %40, %3A and %2F."
        )
        // libpq would take anything else for the name of a database.
        guard url.hasPrefix("postgresql://") || url.hasPrefix("postgres://"), !url.utf8.contains(0) else {
            throw invalid
        }
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(url, &message) else {
            PQfreemem(message)
            throw invalid
        }
        defer { PQconninfoFree(options) }
        var parameters: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { parameters[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        self.parameters = parameters
    }

    /// The parameters that a connection is opened with.
    ///
    /// Those of the URL win, except that limits are always set.
    var connectionParameters: [String: String] {
        var result = [
            "fallback_application_name": self.applicationName,
            // Kerberos would be asked with calls that block.
            "gssencmode": "disable",
            "keepalives_idle": "30",
            "keepalives_interval": "10",
            "keepalives_count": "3",
            "tcp_user_timeout": "30000",
        ]
        result.merge(self.parameters) { _, fromURL in fromURL }
        let limits = [
            "statement_timeout": self.statementTimeout,
            "idle_in_transaction_session_timeout": self.idleInTransactionTimeout,
        ]
        result["options"] =
            ([self.parameters["options"]].compactMap(\.self)
            + limits.sorted { $0.key < $1.key }.map { "-c \($0.key)=\($0.value.wholeMilliseconds)" })
            .joined(separator: " ")
        // Values are sent and read as UTF-8.
        result["client_encoding"] = "UTF8"
        return result
    }
}

extension PostgresConfiguration: CustomStringConvertible {
    /// The URL without the password, for logs.
    public var description: String {
        let user = self.parameters["user"].map { "\($0)@" } ?? ""
        let port = self.parameters["port"].map { ":\($0)" } ?? ""
        return "postgresql://\(user)\(self.parameters["host"] ?? "")\(port)/\(self.parameters["dbname"] ?? "")"
    }
}

extension PostgresConfiguration: CustomReflectable {
    // `dump` and `print` of something that holds a configuration would show the password otherwise.
    public var customMirror: Mirror { Mirror(self, children: ["url": self.description]) }
}

extension Duration {
    /// The duration in milliseconds, rounded up, so that what is more than none stays so.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = self.components
        return seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    }
}
