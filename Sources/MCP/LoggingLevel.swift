/// How serious a log message is: the levels of syslog (RFC 5424), least first.
///
/// Specification: 2025-11-25, server/utilities/logging. Deprecated since 2026-07-28 in favour of telemetry.
public enum LoggingLevel: String, Sendable, Hashable, CaseIterable, Comparable {
    case debug, info, notice, warning, error, critical, alert, emergency

    public static func < (left: Self, right: Self) -> Bool {
        left.severity < right.severity
    }

    private var severity: Int {
        Self.allCases.firstIndex(of: self) ?? 0
    }
}
