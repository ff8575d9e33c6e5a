import Foundation
public import Knowledge
import Processes

/// A git repository at an address, of which the newest state is fetched.
///
/// It is fetched by the `git` program, without a shell, without history, submodules, hooks or symbolic links, within limits
/// of time and size. A user name and password in the address reach git through its environment, never the command line, and
/// are in no error.
public struct GitRepository: Sendable {
    /// How much a repository may be.
    public struct Limits: Sendable {
        public var time = Duration.seconds(600)
        /// The most bytes of what is fetched, as it is packed.
        public var packBytes = 1 << 30
        /// The most bytes of all files.
        public var totalBytes = 4 << 30
        public var files = 100_000

        /// Creates the defaults.
        public init() {}
    }

    /// What files of the repository are called in the index, before their paths: `example.org/team/project`.
    public let name: String
    /// The address without a user name and password.
    public let address: String

    private let credentials: String?
    private let host: String
    private let scheme: String
    private let limits: Limits

    /// Returns whether a text is meant as the address of a repository and not as a path.
    public static func isAddress(_ text: String) -> Bool { text.contains("://") }

    /// Checks an address.
    ///
    /// - Parameters:
    ///   - text: Such as `https://example.org/team/project.git`.
    ///   - schemes: The schemes that are allowed.
    ///   - limits: How much the repository may be.
    /// - Throws: ``KnowledgeError/Code/invalidArguments``.
    public init(_ text: String, schemes: [String], limits: Limits = Limits()) throws(KnowledgeError) {
        guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(), !parts.path.isEmpty,
            parts.query == nil, parts.fragment == nil
        else {
            throw KnowledgeError(.invalidArguments, "This is no address of a git repository; write https://host/path.")
        }
        guard schemes.contains(scheme) else {
            throw KnowledgeError(
                .invalidArguments,
                "Repositories are fetched by \(schemes.joined(separator: ", ")) only; \(scheme) isn't allowed "
                    + "(GANTRY_GIT_SCHEMES)."
            )
        }
        var plain = parts
        // The user name of ssh is no secret, and needed.
        if scheme != "ssh" { plain.user = nil }
        plain.password = nil
        guard let address = plain.string, scheme == "file" || parts.host?.isEmpty == false else {
            throw KnowledgeError(.invalidArguments, "The address of the repository names no host.")
        }
        self.address = address
        self.scheme = scheme
        self.host = parts.host.map { host in parts.port.map { "\(host):\($0)" } ?? host } ?? ""
        self.credentials =
            scheme == "ssh"
            ? nil
            : parts.percentEncodedUser.map { user in parts.percentEncodedPassword.map { "\(user):\($0)" } ?? user }
        var path = parts.path.split(separator: "/").joined(separator: "/")
        if path.hasSuffix(".git") { path.removeLast(4) }
        self.name =
            scheme == "file" ? path.split(separator: "/").last.map(String.init) ?? path : "\(parts.host ?? "")/\(path)"
        self.limits = limits
    }

    /// Fetches the newest state into a new folder, gives it to a body, and removes it.
    ///
    /// - Throws: ``KnowledgeError/Code/unreadable`` if it can't be fetched, ``KnowledgeError/Code/tooLarge``,
    ///   ``KnowledgeError/Code/tookTooLong``, or what the body throws.
    public func withWorkTree<Value: Sendable>(
        _ body: (String) async throws(KnowledgeError) -> Value
    ) async throws(KnowledgeError) -> Value {
        let folder = FileManager.default.temporaryDirectory.appending(path: "gantry-git-\(UUID().uuidString)").path
        do {
            try FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch { throw KnowledgeError(.unreadable, "There is no room for a repository.", cause: error) }
        defer { try? FileManager.default.removeItem(atPath: folder) }
        _ = try await self.git(
            [
                "clone", "--quiet", "--depth=1", "--single-branch", "--no-tags", "--no-recurse-submodules",
                "--no-checkout", "--template=", "--", self.address, "\(folder)/tree",
            ]
        )
        try await self.checkSize(of: "\(folder)/tree")
        _ = try await self.git(["-C", "\(folder)/tree", "checkout", "--quiet", "--force", "HEAD"])
        return try await body("\(folder)/tree")
    }

    /// Looks at the sizes that the tree names before a file is written.
    private func checkSize(of tree: String) async throws(KnowledgeError) {
        let listed = try await self.git(["-C", tree, "ls-tree", "-r", "-l", "-z", "HEAD"])
        var (count, total) = (0, 0)
        for entry in listed.split(separator: 0) {
            // Mode, type, object and size, then a tab and the path.
            let columns = String(decoding: entry.prefix { $0 != 9 }, as: UTF8.self).split(separator: " ")
            count += 1
            total += columns.count > 3 ? Int(columns[3]) ?? 0 : 0
        }
        guard count <= self.limits.files, total <= self.limits.totalBytes else {
            throw KnowledgeError(
                .tooLarge,
                "\(self.address) has \(count) files with \(total) bytes; at most \(self.limits.files) with "
                    + "\(self.limits.totalBytes) are taken."
            )
        }
    }

    private func git(_ arguments: [String]) async throws(KnowledgeError) -> [UInt8] {
        let program = Program(
            "git",
            arguments: [
                "-c", "core.hooksPath=/dev/null", "-c", "core.symlinks=false", "-c", "core.fsmonitor=false",
                "-c", "protocol.allow=never", "-c", "protocol.\(self.scheme).allow=always",
            ] + arguments,
            environment: self.environment,
            limits: Program.Limits(time: self.limits.time, fileBytes: self.limits.packBytes, outputBytes: 64 << 20)
        )
        let result: Program.Result
        do {
            result = try await program.run()
        } catch {
            switch error.code {
            case .notFound: throw KnowledgeError(.unreadable, "Install git to fetch repositories.", cause: error)
            case .cancelled: throw KnowledgeError(.cancelled, "The task was cancelled.", cause: error)
            case .tookTooLong:
                throw KnowledgeError(.tookTooLong, "\(self.address) took too long to fetch.", cause: error)
            default: throw KnowledgeError(.unreadable, "\(self.address) can't be fetched.", cause: error)
            }
        }
        guard result.exitStatus == 0 else {
            let reason = self.withoutCredentials(result.errorText).split(separator: "\n").last ?? "no reason given"
            throw KnowledgeError(.unreadable, "\(self.address) can't be fetched: \(reason)")
        }
        return result.output
    }

    private var environment: [String: String] {
        var environment = [
            "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "/bin/false", "SSH_ASKPASS": "/bin/false",
            "GIT_SSH_COMMAND": "ssh -oBatchMode=yes", "GIT_LFS_SKIP_SMUDGE": "1", "GIT_CONFIG_NOSYSTEM": "1",
        ]
        // git replaces the start of the address, so that only its environment has the password.
        if let credentials = self.credentials {
            environment["GIT_CONFIG_COUNT"] = "1"
            environment["GIT_CONFIG_KEY_0"] = "url.\(self.scheme)://\(credentials)@\(self.host)/.insteadOf"
            environment["GIT_CONFIG_VALUE_0"] = "\(self.scheme)://\(self.host)/"
        }
        return environment
    }

    private func withoutCredentials(_ text: String) -> String {
        guard let credentials = self.credentials else { return text }
        return text.replacing("\(credentials)@", with: "").replacing(credentials, with: "…")
    }
}
