import Foundation
import Testing

@testable import Secrets

@Suite("Secrets in files")
final class FileSecretsTests {
    private let directory = FileManager.default.temporaryDirectory.appending(path: "secrets-\(UUID().uuidString)")
    private var secrets: FileSecrets { FileSecrets(directory: self.directory.path) }

    init() throws {
        try FileManager.default.createDirectory(at: self.directory, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: self.directory) }

    private func write(_ text: String, to path: String, mode: Int = 0o600) throws {
        let file = self.directory.appending(path: path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try Data(text.utf8).write(to: file)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
    }

    private func value(_ reference: String) async throws(SecretError) -> String {
        try await self.secrets.value(of: try SecretReference("secret://\(reference)"))
    }

    private func code(_ reference: String) async -> SecretError.Code? {
        do throws(SecretError) {
            _ = try await self.value(reference)
            return nil
        } catch { return error.code }
    }

    @Test("A file is a secret, a field is a file in a folder or a member of JSON")
    func values() async throws {
        try self.write("one\n", to: "plain")
        try self.write("two", to: "jira/token")
        try self.write(#"{"token":"three","port":5432,"more":{"x":1}}"#, to: "json")
        #expect(try await self.value("plain") == "one")
        #expect(try await self.value("jira/token") == "two")
        #expect(try await self.value("jira#token") == "two")
        #expect(try await self.value("json#token") == "three")
        #expect(try await self.value("json#port") == "5432")
        #expect(await self.code("json#more") == .invalidValue)
        #expect(await self.code("json#none") == .notFound)
        #expect(await self.code("plain#x") == .invalidValue)
        #expect(await self.code("none") == .notFound)
        #expect(await self.code("jira") == .unsafe)
    }

    @Test("What was changed counts at once")
    func change() async throws {
        try self.write("old", to: "token")
        let secrets = self.secrets
        let reference = try SecretReference("secret://token")
        #expect(try await secrets.value(of: reference) == "old")
        try self.write("new", to: "token")
        #expect(try await secrets.value(of: reference) == "new")
    }

    /// A folder as the kubelet makes it: files are links through `..data`, which is swapped whole.
    private func mount(revision: Int) throws {
        let manager = FileManager.default
        let folder = "..2026_\(revision)"
        try self.write("user\(revision)", to: "\(folder)/user", mode: 0o644)
        try self.write("token\(revision)", to: "\(folder)/token", mode: 0o644)
        let next = self.directory.appending(path: "..data_tmp").path
        try manager.createSymbolicLink(atPath: next, withDestinationPath: folder)
        #expect(rename(next, self.directory.appending(path: "..data").path) == 0)
        for name in ["user", "token"] where revision == 1 {
            try manager.createSymbolicLink(
                atPath: self.directory.appending(path: name).path,
                withDestinationPath: "..data/\(name)"
            )
        }
        if revision > 1 {
            try manager.removeItem(at: self.directory.appending(path: "..2026_\(revision - 1)"))
        }
    }

    @Test("A mount of Kubernetes is followed through its swaps, while it is being read")
    func kubernetes() async throws {
        try FileManager.default.setAttributes([.posixPermissions: 0o1777], ofItemAtPath: self.directory.path)
        try self.mount(revision: 1)
        #expect(try await self.value("token") == "token1")
        let secrets = self.secrets
        let reference = try SecretReference("secret://token")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                // Every value is one that was there, and none is older than one that was seen.
                var last = 1
                while last < 50 {
                    let value = try await secrets.value(of: reference)
                    let revision = try #require(Int(value.dropFirst("token".count)))
                    #expect(revision >= last)
                    last = revision
                    await Task.yield()
                }
            }
            for revision in 2...50 {
                try self.mount(revision: revision)
                await Task.yield()
            }
            try await group.waitForAll()
        }
        #expect(await self.code("..data/token") == .invalidReference)
    }

    @Test(
        "Names stay below the directory",
        arguments: ["../secret", "/etc/passwd", "a//b", "a/../b", ".hidden", "a/", "a#../b", "a#.b"]
    )
    func names(name: String) async throws {
        try self.write("x", to: "a/b")
        let code = await self.code(name)
        #expect(code == .invalidReference)
    }

    @Test("Links that lead elsewhere are refused")
    func links() async throws {
        try FileManager.default.createSymbolicLink(
            atPath: self.directory.appending(path: "link").path,
            withDestinationPath: "/etc/hostname"
        )
        #expect(await self.code("link") == .unsafe)
    }

    @Test("What anybody could have changed is refused")
    func permissions() async throws {
        try self.write("x", to: "open", mode: 0o666)
        #expect(await self.code("open") == .unsafe)
        try self.write("x", to: "folder/file")
        let folder = self.directory.appending(path: "folder").path
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder)
        #expect(await self.code("folder/file") == .unsafe)
        try FileManager.default.setAttributes([.posixPermissions: 0o1777], ofItemAtPath: folder)
        #expect(await self.code("folder/file") == nil)
    }

    @Test("Only files of a bounded size, in UTF-8, are read; a pipe is not waited for")
    func kinds() async throws {
        try self.write(String(repeating: "x", count: 65_536), to: "largest")
        #expect(try await self.value("largest").utf8.count == 65_536)
        try self.write(String(repeating: "x", count: 65_537), to: "larger")
        #expect(await self.code("larger") == .invalidValue)
        try Data([0xff, 0xfe]).write(to: self.directory.appending(path: "bytes"))
        #expect(await self.code("bytes") == .invalidValue)
        #expect(mkfifo(self.directory.appending(path: "pipe").path, 0o600) == 0)
        #expect(await self.code("pipe") == .unsafe)
    }

    @Test("A directory that isn't there is said to be missing")
    func missing() async throws {
        let reference = try SecretReference("secret://x")
        let error = await #expect(throws: SecretError.self) {
            try await FileSecrets(directory: "/nonexistent").value(of: reference)
        }
        #expect(error?.code == .misconfigured && error?.message.contains("SECRETS_DIR") == true)
    }
}
