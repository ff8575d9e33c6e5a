import CAllocator

/// What a server process may tell the C library about memory.
public enum Allocator {
    /// Keeps freed memory in the process, up to a bound for each of the allocator's arenas, rather than giving it back to
    /// the system after each large message and fetching it again for the next.
    ///
    /// Call it once, at the start of the process. Without it much of what a message of a megabyte costs is page faults.
    /// It does nothing where the C library is not glibc.
    ///
    /// - Parameter bytes: The bound; about four times the largest message.
    public static func keepFreedMemory(upTo bytes: Int = 16 << 20) {
        c_allocator_keep_freed_memory(Int32(clamping: bytes))
    }
}
