// Sources of events may be used from any thread, though they are not marked so.
@preconcurrency import Dispatch
import Glibc
public import Knowledge
import Synchronization

/// Tells that something in some folders has changed, by way of inotify(7).
///
/// It doesn't tell what: whoever is told looks again at what there is. So nothing is lost when events overflow or come
/// while a folder is new.
public final class FolderWatcher: Sendable {
    /// One element for any number of changes since the last one was taken.
    public let changes: AsyncStream<Void>

    private let descriptor: Int32
    private let source: any DispatchSourceRead

    /// Begins to watch nothing.
    ///
    /// - Throws: ``KnowledgeError/Code/unreadable`` if the system gives no means to watch.
    public init() throws(KnowledgeError) {
        let descriptor = inotify_init1(Int32(O_NONBLOCK | O_CLOEXEC))
        guard descriptor >= 0 else {
            throw KnowledgeError(.unreadable, "Folders can't be watched: raise fs.inotify.max_user_instances.")
        }
        self.descriptor = descriptor
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.changes = stream
        let queue = DispatchQueue(label: "dev.gantry.folder-watcher")
        self.source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
        self.source.setEventHandler {
            var buffer = [UInt8](repeating: 0, count: 64 << 10)
            while read(descriptor, &buffer, buffer.count) > 0 {}
            continuation.yield()
        }
        self.source.setCancelHandler { close(descriptor) }
        self.source.resume()
    }

    deinit { self.source.cancel() }

    /// Watches folders too; those that are watched already cost nothing.
    ///
    /// - Throws: ``KnowledgeError/Code/unreadable`` if the system allows no more. A folder that is gone is no error.
    public func watch(_ folders: [String]) throws(KnowledgeError) {
        let events = IN_CREATE | IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_ONLYDIR
        for folder in folders where inotify_add_watch(self.descriptor, folder, UInt32(events)) < 0 {
            guard errno == ENOSPC || errno == ENOMEM else { continue }
            throw KnowledgeError(
                .unreadable,
                "\(folders.count) folders are too many to watch: raise fs.inotify.max_user_watches, or exclude some."
            )
        }
    }
}
