import Configuration
import Secrets
import Synchronization

/// Reads settings one by one, converts them, and collects what is wrong with them.
///
/// Every value is read as text and converted here, because a `ConfigReader` answers `nil` for a value that it can't
/// convert, and a wrong value has to stop the server instead.
struct SettingsReader {
    /// A value and where it came from.
    struct Found {
        var text: String
        var origin: SettingOrigin
        /// Which secret it is, if it is one.
        var reference: SecretReference?
    }

    private(set) var problems: [SettingsError.Problem] = []
    private(set) var found: [SettingKey: Found] = [:]
    /// What settings hold that name a secret.
    private var secrets: [SettingKey: Result<(SecretReference, String), SecretError>] = [:]
    /// Settings of which it is said already that their secret can't be had.
    private var unresolved: Set<SettingKey> = []

    private let config: ConfigReader
    private let lookups: LookupRecorder

    /// Creates a reader.
    ///
    /// - Parameter providers: The sources with their origins, the strongest first.
    init(providers: [(origin: SettingOrigin, provider: any ConfigProvider)]) {
        self.lookups = LookupRecorder(origins: providers.map(\.origin))
        self.config = ConfigReader(providers: providers.map(\.provider), accessReporter: self.lookups)
    }

    /// The text of a setting.
    ///
    /// White space around it is dropped, and an empty text means that it isn't set.
    mutating func text(_ key: SettingKey) -> String? {
        var text = self.config.string(forKey: key.key, isSecret: key.isSecret)
        if self.lookups.last?.failed == true {
            // A list in the file, or something that isn't a value at all.
            text = self.config.stringArray(forKey: key.key, isSecret: key.isSecret)?.joined(separator: ",")
        }
        guard let lookup = self.lookups.last else { return nil }
        if lookup.failed {
            self.reject(key, "This must be a text, a number or a list of texts.", origin: lookup.origin)
            return nil
        }
        guard let trimmed = text.map(trim), !trimmed.isEmpty, let origin = lookup.origin else { return nil }
        guard trimmed.hasPrefix(SecretReference.scheme) else {
            self.found[key] = Found(text: trimmed, origin: origin)
            return trimmed
        }
        switch self.secrets[key] {
        case .success((let reference, let value))?:
            self.found[key] = Found(text: value, origin: origin, reference: reference)
            return value
        case .failure(let error)?:
            self.reject(key, error.message, origin: origin)
            self.unresolved.insert(key)
        case nil:
            self.reject(key, "This can't be a secret: it is needed to find secrets.", origin: origin)
            self.unresolved.insert(key)
        }
        return nil
    }

    /// Looks up the secrets that settings name.
    mutating func resolve(_ provider: any SecretProvider) async {
        var references: [SettingKey: SecretReference] = [:]
        for key in SettingKey.all where SettingKey.ofSecrets.contains(key) == false {
            guard let text = self.config.string(forKey: key.key, isSecret: key.isSecret).map(trim),
                text.hasPrefix(SecretReference.scheme)
            else { continue }
            do {
                references[key] = try SecretReference(text)
            } catch {
                self.secrets[key] = .failure(error)
            }
        }
        await withTaskGroup(of: (SettingKey, Result<(SecretReference, String), SecretError>).self) { group in
            for (key, reference) in references {
                group.addTask {
                    do throws(SecretError) {
                        let value = try await provider.value(of: reference)
                        guard value.isEmpty == false, value.hasPrefix(SecretReference.scheme) == false else {
                            throw SecretError(.invalidValue, "\(reference) is empty, or names another secret.")
                        }
                        return (key, .success((reference, value)))
                    } catch { return (key, .failure(error)) }
                }
            }
            for await (key, result) in group { self.secrets[key] = result }
        }
    }

    /// A setting that `convert` understands, or the default value if it isn't set or is wrong.
    mutating func value<Value>(
        _ key: SettingKey,
        default defaultValue: Value,
        expected: String,
        convert: (String) -> Value?
    ) -> Value {
        guard let text = self.text(key) else { return defaultValue }
        guard let value = convert(text) else {
            self.reject(key, key.isSecret ? "This must be \(expected)." : "“\(text)” is not \(expected).")
            return defaultValue
        }
        return value
    }

    /// A setting that is one of a few words.
    mutating func choice<Value: RawRepresentable<String> & CaseIterable>(
        _ key: SettingKey,
        default defaultValue: Value
    ) -> Value {
        let words = Value.allCases.map(\.rawValue).joined(separator: ", ")
        return self.value(key, default: defaultValue, expected: "one of \(words)") { Value(rawValue: $0.lowercased()) }
    }

    /// A setting that is on or off.
    mutating func flag(_ key: SettingKey) -> Bool {
        self.value(key, default: false, expected: "true or false") { text in
            switch text.lowercased() {
            case "true", "1", "yes", "on": true
            case "false", "0", "no", "off": false
            default: nil
            }
        }
    }

    /// A setting that is a list: in the file a list or a text, elsewhere a text, with commas between the elements.
    ///
    /// - Parameters:
    ///   - key: The setting.
    ///   - problem: Says what is wrong with an element, or nothing.
    /// - Returns: The elements, none if the setting isn't set.
    mutating func list(_ key: SettingKey, problem: (String) -> String?) -> [String] {
        guard let text = self.text(key) else { return [] }
        let elements = text.split(separator: ",").map { trim(String($0)) }.filter { !$0.isEmpty }
        for element in elements {
            if let message = problem(element) {
                self.reject(key, message)
            }
        }
        return elements
    }

    /// Notes that a setting can't be used.
    mutating func reject(_ key: SettingKey, _ message: String, origin: SettingOrigin? = nil) {
        // What is wrong is that the secret can't be had, and not what follows from that.
        guard self.unresolved.contains(key) == false else { return }
        var message = message
        if let found = self.found[key], let reference = found.reference, Self.shows(found.text, message) {
            message = "What \(reference) holds can't be used for this setting."
        }
        self.problems.append(
            SettingsError.Problem(setting: key.name, message: message, origin: origin ?? self.found[key]?.origin)
        )
    }

    /// Whether a message quotes a value, or one of the elements of a list.
    private static func shows(_ value: String, _ message: String) -> Bool {
        message.contains(value) || value.split(separator: ",").contains { message.contains(trim(String($0))) }
    }
}

/// Remembers the latest lookup: which source answered, and whether its value could be read.
private final class LookupRecorder: AccessReporter {
    struct Lookup {
        var origin: SettingOrigin?
        var failed: Bool
    }

    private let origins: [SettingOrigin]
    private let latest = Mutex<Lookup?>(nil)

    init(origins: [SettingOrigin]) {
        self.origins = origins
    }

    var last: Lookup? { self.latest.withLock { $0 } }

    func report(_ event: AccessEvent) {
        // The reader asks its providers in order and stops at the first that has a value or fails. A failure is only
        // in that provider's answer: the result is the default value then.
        let answered = zip(self.origins, event.providerResults).first { _, answer in
            switch answer.result {
            case .success(let lookup): lookup.value != nil
            case .failure: true
            }
        }
        let failed = if case .failure = answered?.1.result { true } else { event.conversionError != nil }
        self.latest.withLock { $0 = Lookup(origin: answered?.0, failed: failed) }
    }
}

/// A text without the white space at its ends.
private func trim(_ text: String) -> String {
    String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
}
