import Glibc
import Subprocess
import SystemPackage

/// Another program on this machine, run without a shell, and the most that it may take.
///
/// It runs in a session of its own with a clean environment, and is killed with all that it started when its time is
/// over, when it writes too much or when the task is cancelled.
public struct Program: Sendable {
    /// The most that a run may take.
    public struct Limits: Sendable {
        /// How long it may run.
        public var time: Duration
        /// How many seconds of processor time it may use; nothing for no limit of its own.
        public var processorSeconds: Int?
        /// How many bytes of address space it may use; nothing for no limit.
        public var memoryBytes: Int?
        /// How many bytes a file may have that it writes; nothing for no limit.
        public var fileBytes: Int?
        /// How many bytes it may write to its standard output.
        public var outputBytes: Int

        /// Creates limits.
        public init(
            time: Duration,
            processorSeconds: Int? = nil,
            memoryBytes: Int? = nil,
            fileBytes: Int? = nil,
            outputBytes: Int
        ) {
            self.time = time
            self.processorSeconds = processorSeconds
            self.memoryBytes = memoryBytes
            self.fileBytes = fileBytes
            self.outputBytes = outputBytes
        }
    }

    /// What a program left behind.
    public struct Result: Sendable {
        /// The exit status, or nothing if a signal ended it.
        public var exitStatus: Int?
        /// The signal that ended it, if one did.
        public var signal: Int?
        public var output: [UInt8]
        /// What it wrote to its standard error: for logs and for finding out what went wrong.
        public var errorText: String
    }

    /// The name, looked up in PATH, or the path of the executable.
    public var executable: String
    public var arguments: [String]
    /// The variables that it gets beside PATH, LANG and HOME.
    public var environment: [String: String]
    public var workingDirectory: String?
    public var limits: Limits

    /// The most bytes of standard error.
    private static let errorBytes = 256 << 10

    /// Describes a run.
    public init(
        _ executable: String,
        arguments: [String],
        environment: [String: String] = [:],
        workingDirectory: String? = nil,
        limits: Limits
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.limits = limits
    }

    /// Runs the program to its end.
    ///
    /// - Parameter input: What it reads from its standard input, which it may also open as a file (`/dev/stdin`).
    /// - Returns: What it answered, whatever its exit status is.
    /// - Throws: A ``ProgramError`` if it can't be started or exceeds a limit.
    public func run(input: [UInt8] = []) async throws(ProgramError) -> Result {
        do {
            return try await withThrowingTaskGroup(of: Result?.self) { group in
                group.addTask { try await self.execute(input) }
                group.addTask {
                    try await Task.sleep(for: self.limits.time)
                    return nil
                }
                defer { group.cancelAll() }
                guard let first = try await group.next(), let result = first else {
                    throw ProgramError(.tookTooLong, "\(self.executable) was ended after \(self.limits.time).")
                }
                return result
            }
        } catch let error as ProgramError {
            throw error
        } catch let error as SubprocessError where error.code == .executableNotFound {
            throw ProgramError(.notFound, "The program \(self.executable) isn't installed.", cause: error)
        } catch let error as SubprocessError where error.code == .outputLimitExceeded {
            throw ProgramError(
                .outputTooLarge,
                "\(self.executable) wrote more than \(self.limits.outputBytes) bytes.",
                cause: error
            )
        } catch is CancellationError {
            throw ProgramError(.cancelled, "The task was cancelled.")
        } catch {
            if Task.isCancelled { throw ProgramError(.cancelled, "The task was cancelled.", cause: error) }
            throw ProgramError(.failed, "The program \(self.executable) couldn't be run.", cause: error)
        }
    }

    private func execute(_ input: [UInt8]) async throws -> Result {
        // Small enough to stay in the cache of the kernel: this doesn't wait for a disk.
        let file = try NamelessFile(input)
        defer { file.close() }
        let command = self.command
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [
            .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .seconds(1))
        ]
        let result = try await Subprocess.run(
            command.executable.contains("/") ? .path(FilePath(command.executable)) : .name(command.executable),
            arguments: Arguments(command.arguments),
            environment: .custom(self.variables),
            workingDirectory: self.workingDirectory.map { FilePath($0) },
            platformOptions: options,
            input: .fileDescriptor(file.descriptor, closeAfterSpawningProcess: false),
            output: .bytes(limit: self.limits.outputBytes),
            error: .bytes(limit: Self.errorBytes)
        )
        var answer = Result(
            output: result.standardOutput,
            errorText: String(decoding: result.standardError, as: UTF8.self)
        )
        switch result.terminationStatus {
        case .exited(let status): answer.exitStatus = Int(status)
        case .signaled(let signal): answer.signal = Int(signal)
        }
        if answer.signal == Int(SIGXCPU) || (answer.signal == Int(SIGKILL) && self.limits.processorSeconds != nil) {
            throw ProgramError(
                .tookTooLong,
                "\(self.executable) used more than \(self.limits.processorSeconds ?? 0) s of processor time."
            )
        }
        return answer
    }

    /// The program itself, or `prlimit`, which sets the limits and then becomes it.
    private var command: (executable: String, arguments: [String]) {
        var options: [String] = []
        if let seconds = self.limits.processorSeconds { options.append("--cpu=\(seconds):\(seconds + 1)") }
        if let bytes = self.limits.memoryBytes { options.append("--as=\(bytes)") }
        if let bytes = self.limits.fileBytes { options.append("--fsize=\(bytes)") }
        guard !options.isEmpty else { return (self.executable, self.arguments) }
        return ("prlimit", options + ["--core=0", "--", self.executable] + self.arguments)
    }

    private var variables: [Environment.Key: String] {
        var variables: [Environment.Key: String] = ["LANG": "C.UTF-8"]
        for name in ["PATH", "HOME"] {
            if let value = getenv(name) { variables[Environment.Key(stringLiteral: name)] = String(cString: value) }
        }
        for (name, value) in self.environment { variables[Environment.Key(stringLiteral: name)] = value }
        return variables
    }
}

/// Bytes as a file without a name, which goes away with its last user.
private struct NamelessFile {
    let descriptor: FileDescriptor

    init(_ bytes: [UInt8]) throws {
        let directory = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        let path = "\(directory)/gantry-\(String(UInt64.random(in: .min ... .max), radix: 16))"
        // Closed in other programs from the start: one that begins at this moment must not inherit it.
        self.descriptor = try FileDescriptor.open(
            path,
            .readWrite,
            options: [.create, .exclusiveCreate, .closeOnExec],
            permissions: .ownerReadWrite
        )
        unlink(path)
        do {
            try self.descriptor.writeAll(bytes)
            try self.descriptor.seek(offset: 0, from: .start)
        } catch {
            self.close()
            throw error
        }
    }

    func close() { try? self.descriptor.close() }
}
