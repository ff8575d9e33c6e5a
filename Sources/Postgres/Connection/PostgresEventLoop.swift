import Clibpq
import Glibc
import Synchronization

/// A thread that waits for sockets and timers, and runs the actors that belong to it in between.
///
/// libpq owns its sockets and reads them itself, so they can't be handed to NIO. The connections are actors with this
/// loop as their executor: what they do between two waits runs on this thread, next to the event that caused it, and
/// never blocks one of the cooperative pool. Nothing here may block either.
final class PostgresEventLoop: SerialExecutor, TaskExecutor {
    /// The loop of all connections.
    ///
    /// One thread handles some 40,000 statements a second. It lives as long as the process.
    static let shared = PostgresEventLoop()

    typealias Instant = ContinuousClock.Instant

    private struct Timer {
        var deadline: Instant
        var fire: @Sendable () -> Void
    }

    private enum Work {
        case job(UnownedJob)
        case closure(@Sendable () -> Void)
    }

    private struct State {
        var work: [Work] = []
        var handlers: [UInt64: @Sendable (UInt32) -> Void] = [:]
        var timers: [UInt64: Timer] = [:]
        /// No timer is due before this.
        ///
        /// It may be early: a timer that was removed leaves it as it was.
        var nextDeadline: Instant?
        var nextID: UInt64 = 1
        /// Whether the thread is in `epoll_wait`, or about to be, and has to be woken for new work.
        var isWaiting = false
    }

    private let state = Mutex(State())
    private let epoll: Int32
    private let wakeup: Int32
    private let thread = Atomic<UInt>(0)

    private init() {
        self.epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        self.wakeup = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        precondition(self.epoll >= 0 && self.wakeup >= 0, "The process has no file descriptor left: errno \(errno).")
        // Identifier 0 is the wake-up.
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(u64: 0))
        epoll_ctl(self.epoll, EPOLL_CTL_ADD, self.wakeup, &event)
        startThread { self.run() }
    }

    // MARK: Executor

    func enqueue(_ job: consuming ExecutorJob) {
        self.add(.job(UnownedJob(job)))
    }

    func checkIsolated() {
        precondition(self.isCurrent, "This must run on the thread of the connections.")
    }

    func isIsolatingCurrentContext() -> Bool? { self.isCurrent }

    private var isCurrent: Bool { self.thread.load(ordering: .relaxed) == pthread_self() }

    // MARK: Work, sockets, timers; all may be called from any thread

    /// Runs a closure on the thread of the loop, soon.
    func execute(_ closure: @escaping @Sendable () -> Void) {
        self.add(.closure(closure))
    }

    /// Calls a handler on the thread of the loop whenever a socket can be read, until it is removed.
    ///
    /// - Returns: An identifier for ``update(_:descriptor:writable:)`` and ``remove(_:descriptor:)``.
    func add(descriptor: Int32, handler: @escaping @Sendable (_ events: UInt32) -> Void) -> UInt64 {
        let id = self.state.withLock { state in
            defer { state.nextID += 1 }
            state.handlers[state.nextID] = handler
            return state.nextID
        }
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(u64: id))
        epoll_ctl(self.epoll, EPOLL_CTL_ADD, descriptor, &event)
        return id
    }

    /// Sets what a socket is watched for.
    func update(_ id: UInt64, descriptor: Int32, readable: Bool = true, writable: Bool) {
        let events = (readable ? EPOLLIN.rawValue : 0) | (writable ? EPOLLOUT.rawValue : 0)
        var event = epoll_event(events: events, data: epoll_data_t(u64: id))
        epoll_ctl(self.epoll, EPOLL_CTL_MOD, descriptor, &event)
    }

    /// Stops watching a socket.
    ///
    /// Call this before the socket is closed.
    func remove(_ id: UInt64, descriptor: Int32) {
        _ = self.state.withLock { $0.handlers.removeValue(forKey: id) }
        epoll_ctl(self.epoll, EPOLL_CTL_DEL, descriptor, nil)
    }

    /// Calls a closure on the thread of the loop once the deadline has passed, unless it is removed before.
    func addTimer(at deadline: Instant, _ fire: @escaping @Sendable () -> Void) -> UInt64 {
        let (id, wake) = self.state.withLock { state in
            defer { state.nextID += 1 }
            state.timers[state.nextID] = Timer(deadline: deadline, fire: fire)
            guard state.nextDeadline.map({ deadline < $0 }) ?? true else { return (state.nextID, false) }
            state.nextDeadline = deadline
            defer { state.isWaiting = false }
            return (state.nextID, state.isWaiting)
        }
        if wake { self.wake() }
        return id
    }

    /// Removes a timer.
    ///
    /// It has fired, or is about to, if there is none.
    func removeTimer(_ id: UInt64) {
        _ = self.state.withLock { $0.timers.removeValue(forKey: id) }
    }

    private func add(_ work: Work) {
        let wake = self.state.withLock { state in
            state.work.append(work)
            defer { state.isWaiting = false }
            return state.isWaiting
        }
        if wake { self.wake() }
    }

    private func wake() {
        eventfd_write(self.wakeup, 1)
    }

    // MARK: The thread

    private func run() {
        self.thread.store(pthread_self(), ordering: .relaxed)
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        while true {
            let timeout = self.state.withLock { state -> Int32 in
                guard state.work.isEmpty else { return 0 }
                state.isWaiting = true
                guard let deadline = state.nextDeadline else { return -1 }
                let wait = ContinuousClock.now.duration(to: deadline)
                // Rounded up, so that the timer is due when the thread wakes; a minute at most, so that it fits.
                return Int32(min(max(wait / .milliseconds(1), 0), 60_000).rounded(.up))
            }
            let count = epoll_wait(self.epoll, &events, Int32(events.count), timeout)
            self.state.withLock { $0.isWaiting = false }
            for event in events.prefix(Int(max(count, 0))) {
                if event.data.u64 == 0 {
                    var value: eventfd_t = 0
                    eventfd_read(self.wakeup, &value)
                } else if let handler = self.state.withLock({ $0.handlers[event.data.u64] }) {
                    handler(event.events)
                }
            }
            self.runWork()
            self.fireTimers()
        }
    }

    private func runWork() {
        let work = self.state.withLock { state in
            defer { state.work.removeAll(keepingCapacity: true) }
            return state.work
        }
        for item in work {
            switch item {
            case .job(let job):
                job.runSynchronously(
                    isolatedTo: self.asUnownedSerialExecutor(),
                    taskExecutor: self.asUnownedTaskExecutor()
                )
            case .closure(let closure): closure()
            }
        }
    }

    private func fireTimers() {
        let due = self.state.withLock { state -> [Timer] in
            guard let next = state.nextDeadline else { return [] }
            let now = ContinuousClock.now
            guard next <= now else { return [] }
            let due = state.timers.filter { $0.value.deadline <= now }
            for id in due.keys { state.timers.removeValue(forKey: id) }
            state.nextDeadline = state.timers.values.map(\.deadline).min()
            return Array(due.values)
        }
        for timer in due { timer.fire() }
    }
}

/// Starts a thread that nobody joins.
private func startThread(_ body: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    defer { pthread_attr_destroy(&attributes) }
    let argument = Unmanaged.passRetained(Box(body)).toOpaque()
    let result = pthread_create(
        &thread,
        &attributes,
        { argument in
            if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
            return nil
        },
        argument
    )
    precondition(result == 0, "The process can't start another thread: error \(result).")
}

/// Threads for calls that may block: name lookups and requests to cancel.
enum BlockingCalls {
    /// At most this many run at a time.
    ///
    /// A server that is frozen keeps a request to cancel waiting until it goes on.
    static let limit = 16
    private static let running = Mutex(0)

    /// Runs a call on a thread of its own.
    ///
    /// - Returns: `false` if too many calls run already; the call is not made then.
    static func start(_ call: @escaping @Sendable () -> Void) -> Bool {
        let mayStart = self.running.withLock { running in
            guard running < self.limit else { return false }
            running += 1
            return true
        }
        guard mayStart else { return false }
        startThread {
            call()
            self.running.withLock { $0 -= 1 }
        }
        return true
    }
}
