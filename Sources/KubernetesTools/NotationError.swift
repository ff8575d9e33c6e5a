/// Says why a text is not written in the notation that Kubernetes expects.
///
/// The message is meant for the caller.
struct NotationError: Error, Equatable {
    let message: String

    init(_ message: String) { self.message = message }
}
