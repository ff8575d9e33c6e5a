/// The members of a JSON object, in the order in which they were added.
///
/// Up to 16 members are looked up by comparing keys one after the other, which beats hashing for few keys. Larger
/// objects keep an index from key to position. Keys are compared by code point.
///
/// Two objects are equal when they have the same keys with equal values, in any order.
public struct JSONObject: Sendable {
    /// One member of an object.
    public typealias Element = (key: String, value: JSONValue)

    /// From how many members on an index pays.
    private static let largestWithoutIndex = 16

    private(set) var members: [Element]
    /// The position of each key, or empty while there are few members.
    private var positions: [ScalarString: Int] = [:]

    /// Creates an object without members.
    public init() { self.members = [] }

    /// Creates an object from members; where a key comes twice, the last value wins and the first keeps the place.
    public init(_ members: some Sequence<Element>) {
        self.init()
        self.reserveCapacity(members.underestimatedCount)
        for member in members { self[member.key] = member.value }
    }

    /// Takes over members that the parser collected, or gives `nil` if a key comes twice.
    ///
    /// There is a fingerprint for each key; keys with different ones are different.
    init?(parsed members: [Element], fingerprints: UnsafeBufferPointer<UInt64>) {
        self.members = members
        if members.count > Self.largestWithoutIndex {
            self.positions.reserveCapacity(members.count)
            for (position, member) in members.enumerated() {
                guard self.positions.updateValue(position, forKey: ScalarString(member.key)) == nil else { return nil }
            }
        } else {
            for position in 0..<members.count {
                for earlier in 0..<position where fingerprints[earlier] == fingerprints[position] {
                    if members[earlier].key.hasSameScalars(as: members[position].key) { return nil }
                }
            }
        }
    }

    /// The value of a key, or `nil` if there is none.
    ///
    /// Setting a value replaces the one that is there, in its place, or adds a member at the end. Setting `nil` removes
    /// the member; to store a JSON `null`, set ``JSONValue/null``.
    public subscript(key: String) -> JSONValue? {
        get {
            guard let position = self.position(of: key) else { return nil }
            return self.members[position].value
        }
        set {
            switch (self.position(of: key), newValue) {
            case (let position?, let value?):
                self.members[position].value = value
            case (nil, let value?):
                self.members.append((key: key, value: value))
                self.indexLastMember()
            case (let position?, nil):
                self.members.remove(at: position)
                self.rebuildIndex()
            case (nil, nil):
                break
            }
        }
    }

    /// The keys, in order.
    public var keys: some RandomAccessCollection<String> & Sendable { self.members.map(\.key) }

    /// The values, in the order of their keys.
    public var values: some RandomAccessCollection<JSONValue> & Sendable { self.members.map(\.value) }

    /// Makes room for members that are about to be added.
    public mutating func reserveCapacity(_ capacity: Int) {
        self.members.reserveCapacity(capacity)
        if capacity > Self.largestWithoutIndex { self.positions.reserveCapacity(capacity) }
    }

    private func position(of key: String) -> Int? {
        guard self.members.count <= Self.largestWithoutIndex else { return self.positions[ScalarString(key)] }
        return self.members.firstIndex { $0.key.hasSameScalars(as: key) }
    }

    private mutating func indexLastMember() {
        if self.members.count == Self.largestWithoutIndex + 1 {
            self.rebuildIndex()
        } else if self.members.count > Self.largestWithoutIndex {
            let last = self.members.count - 1
            self.positions[ScalarString(self.members[last].key)] = last
        }
    }

    private mutating func rebuildIndex() {
        self.positions.removeAll(keepingCapacity: true)
        guard self.members.count > Self.largestWithoutIndex else { return }
        for (position, member) in self.members.enumerated() { self.positions[ScalarString(member.key)] = position }
    }
}

extension JSONObject: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { self.members.count }
    public subscript(position: Int) -> Element { self.members[position] }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// Creates an object; where a key comes twice, the last value wins.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init(elements.lazy.map { (key: $0.0, value: $0.1) })
    }
}

extension JSONObject: Hashable {
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        guard left.count == right.count else { return false }
        for (position, member) in left.members.enumerated() {
            // Objects that are equal mostly have the same order too.
            let sameSeat = right.members[position]
            if sameSeat.key.hasSameScalars(as: member.key) {
                if sameSeat.value != member.value { return false }
            } else if right[member.key] != member.value {
                return false
            }
        }
        return true
    }

    public func hash(into hasher: inout Hasher) {
        // A sum, because the order of the members must not matter.
        var sum = 0
        for member in self.members {
            var memberHasher = Hasher()
            member.key.hashScalars(into: &memberHasher)
            memberHasher.combine(member.value)
            sum &+= memberHasher.finalize()
        }
        hasher.combine(self.members.count)
        hasher.combine(sum)
    }
}

extension JSONObject: CustomStringConvertible {
    /// The object as compact JSON text.
    public var description: String { JSONValue.object(self).description }
}
