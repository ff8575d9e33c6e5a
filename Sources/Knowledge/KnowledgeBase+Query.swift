extension KnowledgeBase {
    /// Finds the chunks that answer a question best, with the measured defaults.
    ///
    /// - Throws: As ``query(_:options:)``.
    public func query(_ text: String, topK: Int = 3) async throws(KnowledgeError) -> KnowledgeAnswer {
        try await self.query(text, options: KnowledgeQueryOptions(topK: topK))
    }

    /// Finds the passages that answer a question best.
    ///
    /// - Parameters:
    ///   - text: A question or keywords.
    ///   - options: How many passages, which documents, how much text.
    ///   - principal: Whose question it is: remembered answers are given to nobody else.
    /// - Returns: The passages, best first; none if nothing in the index has to do with the question.
    /// - Throws: ``KnowledgeError/Code/invalidArguments`` for an empty or overlong query or options beyond their limits,
    ///   ``KnowledgeError/Code/modelMismatch`` if the index was made with another embedding model.
    public func query(
        _ text: String,
        options: KnowledgeQueryOptions,
        principal: String = ""
    ) async throws(KnowledgeError) -> KnowledgeAnswer {
        try self.check(text)
        try self.check(options)
        return try await self.answer(text, options, principal: principal) { () throws(KnowledgeError) in
            try await QueryRun(base: self, text: text, options: options).answer()
        }
    }

    private func check(_ text: String) throws(KnowledgeError) {
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw KnowledgeError(.invalidArguments, "The query is empty; ask a question or give keywords.")
        }
        guard text.unicodeScalars.count <= self.configuration.maximumQueryLength else {
            throw KnowledgeError(
                .invalidArguments,
                "The query is longer than \(self.configuration.maximumQueryLength) characters; shorten it."
            )
        }
    }

    private func check(_ options: KnowledgeQueryOptions) throws(KnowledgeError) {
        guard (1...self.configuration.maximumTopK).contains(options.topK) else {
            throw KnowledgeError(
                .invalidArguments,
                "top_k is \(options.topK); give a number from 1 to \(self.configuration.maximumTopK)."
            )
        }
        guard (0...10).contains(options.neighbours) else {
            throw KnowledgeError(
                .invalidArguments,
                "neighbours is \(options.neighbours); give a number from 0 to 10."
            )
        }
        if let tokens = options.maximumTokens, tokens < 1 {
            throw KnowledgeError(.invalidArguments, "max_tokens is \(tokens); give a number from 1.")
        }
        try options.filter.check()
    }
}
