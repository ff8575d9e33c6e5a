import Synchronization

/// The stations and what they have measured, in memory.
public final class StationBook: Sendable {
    struct Station: Sendable {
        /// What the thermometer usually shows, in degrees Celsius.
        var usual: ClosedRange<Double>
        var measured: [Double]
    }

    private let stations = Mutex<[String: Station]>([
        "eastvale": Station(usual: -10...30, measured: [11.5, 14, 9.5]),
        "northport": Station(usual: -25...25, measured: [-3, -1.5, 2]),
        "southmoor": Station(usual: 0...38, measured: [21, 24.5, 26]),
    ])

    /// The stations that there are; it stays the same.
    static let names = ["eastvale", "northport", "southmoor"]

    public init() {}

    func station(_ name: String) -> Station? {
        self.stations.withLock { $0[name] }
    }

    func add(_ celsius: Double, to name: String) {
        self.stations.withLock { $0[name]?.measured.append(celsius) }
    }
}
