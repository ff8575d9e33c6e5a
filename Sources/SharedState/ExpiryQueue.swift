/// Keys in the order in which their values expire: a binary heap.
///
/// A key may be in it several times.
struct ExpiryQueue<Key> {
    private typealias Item = (expiry: ContinuousClock.Instant, key: Key)

    private var items: [Item] = []

    init() {}

    init(_ keys: some Sequence<(Key, ContinuousClock.Instant)>) {
        // What is sorted is a heap.
        self.items = keys.map { ($0.1, $0.0) }.sorted { $0.expiry < $1.expiry }
    }

    var count: Int { self.items.count }

    /// When the first key expires.
    var earliest: ContinuousClock.Instant? { self.items.first?.expiry }

    mutating func add(_ key: Key, at expiry: ContinuousClock.Instant) {
        self.items.append((expiry, key))
        var child = self.items.count - 1
        while child > 0, self.items[child].expiry < self.items[(child - 1) / 2].expiry {
            self.items.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Takes out the key that expires first, if it does so before a time or at it.
    mutating func next(before time: ContinuousClock.Instant) -> Key? {
        guard let first = self.items.first, first.expiry <= time else { return nil }
        let last = self.items.removeLast()
        guard !self.items.isEmpty else { return first.key }
        self.items[0] = last
        var parent = 0
        while true {
            var least = 2 * parent + 1
            if least + 1 < self.items.count, self.items[least + 1].expiry < self.items[least].expiry { least += 1 }
            guard least < self.items.count, self.items[least].expiry < self.items[parent].expiry else { break }
            self.items.swapAt(parent, least)
            parent = least
        }
        return first.key
    }

    /// Drops what is of no use, once it is the larger part: keys that were removed, or whose values live longer by now.
    ///
    /// - Parameters:
    ///   - count: How many keys are of use.
    ///   - keys: Those, each with the time at which it expires.
    mutating func compact<Keys: Sequence<(Key, ContinuousClock.Instant)>>(to count: Int, _ keys: () -> Keys) {
        if self.count > 2 * count + 64 { self = Self(keys()) }
    }
}
