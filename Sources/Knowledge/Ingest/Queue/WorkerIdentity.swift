import Foundation

/// The name of this process, by which another one on the same machine can tell whether it still runs.
public enum WorkerIdentity {
    /// The boot of the machine, the process namespace, the process and when it began; no two processes share it.
    public static let current = Self.identity(ofProcess: "self") ?? UUID().uuidString

    /// Returns whether a process is certainly gone.
    ///
    /// One on another machine, or in another container, may be alive: its claims run out by themselves.
    public static func isGone(_ worker: String) -> Bool {
        let own = Self.current.split(separator: "/")
        let other = worker.split(separator: "/")
        guard own.count == 4, other.count == 4, own[0] == other[0], own[1] == other[1] else { return false }
        return Self.identity(ofProcess: String(other[2])) != worker
    }

    private static func identity(ofProcess process: String) -> String? {
        guard let boot = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8),
            let space = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid"),
            let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let name = status.lastIndex(of: ")")
        else { return nil }
        // The name in parentheses may hold spaces; behind it the 20th field is the time of the start (proc(5)).
        let fields = status[status.index(after: name)...].split(separator: " ")
        guard fields.count > 19, let number = status.split(separator: " ").first else { return nil }
        // A process that has ended, but that nobody has asked about yet, does nothing any more.
        if fields[0] == "Z" || fields[0] == "X" { return nil }
        return [boot.filter { !$0.isWhitespace }, space, String(number), String(fields[19])].joined(separator: "/")
    }
}
