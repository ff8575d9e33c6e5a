/// What is wrong with a multipart body.
struct MultipartError: Error, Sendable, Equatable {
    enum Code: Sendable, Equatable {
        /// The body doesn't have the form that RFC 2046 section 5.1 and RFC 7578 describe.
        case malformed
        /// The body ended before its closing delimiter.
        case incomplete
        /// A stated limit is exceeded.
        case tooLarge
    }

    var code: Code
    var message: String
}
