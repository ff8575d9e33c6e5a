/// Where the value of a setting came from.
public enum SettingOrigin: Sendable, Hashable, CustomStringConvertible {
    case commandLine
    case environment
    case file
    case defaultValue

    public var description: String {
        switch self {
        case .commandLine: "command line"
        case .environment: "environment"
        case .file: "file"
        case .defaultValue: "default"
        }
    }
}
