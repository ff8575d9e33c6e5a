import JSON
import Knowledge

/// Reads files that hold one document per line, as a JSON object.
///
/// `id` and `text` are strings that have to be there; `title`, and `source` or `url`, are strings that may be; what
/// else there is becomes metadata. Lines with the same `doc` are consecutive parts of one source file.
struct JSONLinesReader {
    let limits: ExtractionLimits

    /// Returns the documents, and the lines that are none.
    ///
    /// - Throws: If not a single line is a document.
    func documents(in bytes: [UInt8], path: String) throws(KnowledgeError) -> ExtractedDocuments {
        var result = ExtractedDocuments(documents: [])
        for (number, line) in TextLines(bytes: bytes).enumerated() where !line.isBlank {
            guard result.documents.count < self.limits.maximumDocuments else {
                throw KnowledgeError(
                    .tooManyParts,
                    "\(path) has more than \(self.limits.maximumDocuments) documents. Split it into smaller files."
                )
            }
            do throws(KnowledgeError) {
                result.documents.append(try self.document(in: bytes[line.span], path: path))
            } catch {
                let place = "\(path):\(number + 1)"
                let placed = KnowledgeError(error.code, "\(place): \(error.message)", cause: error.cause)
                result.failures.append(ExtractedDocuments.Failure(source: place, error: placed))
            }
        }
        guard !result.documents.isEmpty else {
            throw result.failures.first?.error ?? KnowledgeError(.emptyDocument, "\(path) holds no documents.")
        }
        result.documents = Document.linked(
            result.documents,
            partsOf: result.documents.map { $0.metadata["doc"]?.stringValue }
        )
        return result
    }

    private func document(in line: ArraySlice<UInt8>, path: String) throws(KnowledgeError) -> Document {
        guard line.count <= self.limits.maximumLineBytes else {
            throw KnowledgeError(
                .lineTooLong,
                "The line has \(line.count) bytes; at most \(self.limits.maximumLineBytes) are read."
            )
        }
        guard var object = try self.value(of: line).objectValue else {
            throw KnowledgeError(.malformed, "The line isn't a JSON object.")
        }
        guard let id = object["id"]?.stringValue, !id.isEmpty else {
            throw KnowledgeError(.malformed, "The document needs an id, which is a string.")
        }
        guard let text = object["text"]?.stringValue else {
            throw KnowledgeError(.malformed, "The document \(id) needs a text, which is a string.")
        }
        let title = try Self.optionalString("title", in: object) ?? ""
        let source = try Self.optionalString("source", in: object)
        let address = try Self.optionalString("url", in: object)
        for key in ["id", "text", "title"] { object[key] = nil }
        return Document(id: id, source: source ?? address ?? path, title: title, text: text, metadata: object)
    }

    private func value(of line: ArraySlice<UInt8>) throws(KnowledgeError) -> JSONValue {
        var limits = JSONLimits.default
        limits.maximumDepth = self.limits.maximumDepth
        do {
            return try JSONValue(parsing: Array(line), limits: limits)
        } catch {
            throw KnowledgeError(.malformed, "The line isn't JSON: \(error.message)", cause: error)
        }
    }

    private static func optionalString(_ key: String, in object: JSONObject) throws(KnowledgeError) -> String? {
        guard let value = object[key], !value.isNull else { return nil }
        guard let text = value.stringValue else { throw KnowledgeError(.malformed, "The \(key) isn't a string.") }
        return text
    }
}
