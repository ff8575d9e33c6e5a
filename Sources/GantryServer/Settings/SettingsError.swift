/// What is wrong with the settings, all of it at once.
public struct SettingsError: Error, Sendable, CustomStringConvertible {
    /// One setting that can't be used.
    public struct Problem: Sendable, Hashable {
        /// The name of the setting, as ``SettingKey/name`` has it, or the path of a file that can't be read.
        public var setting: String
        /// What is wrong, and what would be right.
        ///
        /// Never holds the value of a secret.
        public var message: String
        /// Where the value came from, if there is one.
        public var origin: SettingOrigin?
    }

    public var problems: [Problem]

    public var description: String {
        self.problems
            .map { problem in
                let origin = problem.origin.map { " (from the \($0))" } ?? ""
                return "\(problem.setting)\(origin): \(problem.message)"
            }
            .joined(separator: "\n")
    }
}
