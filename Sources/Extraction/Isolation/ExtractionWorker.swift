import JSON
import Knowledge
import Processes

/// Reading one hostile file in a process of its own: the side that starts it, and the side that does the work.
///
/// The worker gets the file on standard input and writes one JSON object to standard output: a document, or an error. If it
/// is killed by a limit or crashes, the file fails and nothing else does.
public enum ExtractionWorker {
    /// The argument that makes the program a worker; the path of the file, for messages and its extension, comes next.
    public static let argument = "extract-worker"

    /// Does the work of the worker.
    ///
    /// - Parameters:
    ///   - bytes: The content of the file.
    ///   - path: Its path; nothing is opened.
    /// - Returns: What has to be written to standard output.
    public static func answer(to bytes: [UInt8], path: String) -> [UInt8] {
        let value: JSONValue
        do throws(KnowledgeError) {
            let found = try FileParser(limits: ExtractionLimits()).documents(in: bytes, path: path)
            guard let document = found.documents.first, found.documents.count == 1 else {
                throw KnowledgeError(.extractionFailed, "\(path) isn't one document.")
            }
            value = .object(DocumentCoding.object(document))
        } catch {
            value = ["error": ["code": .string(error.code.description), "message": .string(error.message)]]
        }
        return Array(value.serialized())
    }

    /// Starts a worker and waits for its answer.
    static func run(
        _ program: String,
        on bytes: [UInt8],
        path: String,
        limits: ExtractionLimits
    ) async throws(KnowledgeError) -> Document {
        let result: Program.Result
        do {
            let run = Program(program, arguments: [Self.argument, "--", path], limits: limits.programLimits)
            result = try await run.run(input: bytes)
        } catch {
            throw KnowledgeError(program: error, path: path, needs: "util-linux")
        }
        var parsing = JSONLimits.default
        parsing.maximumBytes = limits.maximumUnpackedBytes
        guard result.exitStatus == 0, let value = try? JSONValue(parsing: result.output, limits: parsing) else {
            throw KnowledgeError(
                .extractionFailed,
                "\(path) can't be read: the process that read it ended without an answer, probably because it needed more "
                    + "than \(limits.memoryBytes) bytes of memory."
            )
        }
        if let error = value["error"] {
            throw KnowledgeError(
                KnowledgeError.Code(named: error["code"]?.stringValue ?? "") ?? .extractionFailed,
                error["message"]?.stringValue ?? "\(path) can't be read."
            )
        }
        guard let document = DocumentCoding.document(value, id: path) else {
            throw KnowledgeError(.extractionFailed, "\(path) can't be read: the process that read it gave no document.")
        }
        return document
    }
}
