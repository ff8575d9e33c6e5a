/// Values that wait for the end of the array or object that they belong to.
///
/// The parser learns the number of elements only at the closing bracket. Until then they wait on one stack for the
/// whole text; then they are moved, without copies, into an array of just the right size.
struct ValueStack<Element>: ~Copyable {
    private var storage: UnsafeMutablePointer<Element>?
    private var capacity = 0
    private(set) var count = 0

    deinit {
        self.storage?.deinitialize(count: self.count)
        self.storage?.deallocate()
    }

    @inline(__always)
    mutating func push(_ element: consuming Element) {
        if self.count == self.capacity { self.grow() }
        // `grow` has made room, so there is storage.
        self.storage.unsafelyUnwrapped.advanced(by: self.count).initialize(to: element)
        self.count &+= 1
    }

    /// Moves the elements from `start` on into an array.
    @inline(__always)
    mutating func popArray(from start: Int) -> [Element] {
        let count = self.count - start
        guard count > 0, let storage = self.storage else { return [] }
        self.count = start
        return [Element](unsafeUninitializedCapacity: count) { buffer, initializedCount in
            buffer.baseAddress?.moveInitialize(from: storage + start, count: count)
            initializedCount = count
        }
    }

    /// Lets a closure see the elements from `start` on, and then removes them.
    @inline(__always)
    mutating func pop<Result>(from start: Int, _ body: (UnsafeBufferPointer<Element>) -> Result) -> Result {
        let base = self.storage.map { $0 + start }
        let result = body(UnsafeBufferPointer(start: base, count: self.count - start))
        base?.deinitialize(count: self.count - start)
        self.count = start
        return result
    }

    @inline(never)
    private mutating func grow() {
        let capacity = max(16, self.capacity * 2)
        let storage = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
        if let old = self.storage {
            storage.moveInitialize(from: old, count: self.count)
            old.deallocate()
        }
        self.storage = storage
        self.capacity = capacity
    }
}
