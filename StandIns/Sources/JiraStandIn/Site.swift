import Synchronization

/// A user of the site.
struct User: Sendable, Equatable {
    var accountID: String
    var name: String
    var email: String
}

/// An issue of the site.
struct StoredIssue: Sendable {
    var id: Int
    var number: Int
    var project: Project
    var summary: String
    var type: String
    var status: Status
    var priority: Priority?
    var assignee: User?
    var reporter: User
    var labels: [String]
    var description: String?
    var comments: [String]
    var created: String
    var updated: String
    var duedate: String?

    var key: String { "\(self.project.key)-\(self.number)" }
}

struct Project: Sendable, Equatable {
    var id: Int
    var key: String
    var name: String
}

/// A status; the category's id is a number on the wire, its own a string.
enum Status: Int, CaseIterable, Sendable {
    case toDo = 10000, inProgress, inReview, done

    var name: String { ["To Do", "In Progress", "In Review", "Done"][self.rawValue - 10000] }
    var category: (id: Int, key: String, color: String, name: String) {
        switch self {
        case .toDo: (2, "new", "blue-gray", "To Do")
        case .inProgress, .inReview: (4, "indeterminate", "yellow", "In Progress")
        case .done: (3, "done", "green", "Done")
        }
    }
}

/// A priority; lower raw values are more urgent.
enum Priority: Int, CaseIterable, Sendable {
    case highest = 1, high, medium, low, lowest

    var name: String { ["Highest", "High", "Medium", "Low", "Lowest"][self.rawValue - 1] }
}

/// What the stand-in is told to do to the next answers.
struct Disturbance: Sendable {
    var times: Int
    var delayMilliseconds: Int
    var status: Int?
    var headers: [String: String]
    var body: String
}

/// The site: who may log in, and its issues, the same at every start.
final class Site: Sendable {
    let base: String
    let user: String
    let token: String
    let users: [User]
    let projects: [Project]
    let issues: [StoredIssue]
    private let disturbance = Mutex<Disturbance?>(nil)

    init(base: String, user: String, token: String) {
        self.base = base
        self.user = user
        self.token = token
        self.users = [
            User(accountID: "712020:0a1b", name: "Ada Lovelace", email: user),
            User(accountID: "712020:2c3d", name: "Grace Hopper", email: "grace@example.com"),
            User(accountID: "712020:4e5f", name: "José Núñez", email: "jose@example.com"),
        ]
        self.projects = [
            Project(id: 10000, key: "ENG", name: "Engineering"), Project(id: 10001, key: "OPS", name: "Operations"),
            Project(id: 10002, key: "SEC", name: "Security"),
        ]
        self.issues = Self.issues(self.projects, self.users)
    }

    func disturb(_ disturbance: Disturbance?) {
        self.disturbance.withLock { $0 = disturbance }
    }

    /// What is to happen to one answer.
    func nextDisturbance() -> Disturbance? {
        self.disturbance.withLock { disturbance in
            guard let current = disturbance, current.times > 0 else { return nil }
            disturbance?.times -= 1
            return current
        }
    }

    private static func issues(_ projects: [Project], _ users: [User]) -> [StoredIssue] {
        var random = SplitMix(state: 20260728)
        let verbs = ["Fix", "Add", "Remove", "Document", "Speed up", "Investigate", "Rewrite", "Test"]
        let things = [
            "login page", "payment retry", "nightly build", "cache invalidation", "search index", "audit export",
            "“quoted” title", "naïve timeout", "日本語 labels", "<script> in comments",
        ]
        var issues: [StoredIssue] = []
        for project in projects {
            for number in 1...(project.key == "ENG" ? 160 : 80) {
                let day = 1 + (number * 7 + project.id) % 28
                let created = "2026-0\(1 + number % 9)-\(day < 10 ? "0" : "")\(day)"
                issues.append(
                    StoredIssue(
                        id: project.id * 100 + number,
                        number: number,
                        project: project,
                        summary: "\(random.pick(verbs)) the \(random.pick(things))",
                        type: random.pick(["Task", "Bug", "Story"]),
                        status: random.pick([.toDo, .toDo] + Status.allCases),
                        priority: random.next() % 6 == 0 ? nil : random.pick(Priority.allCases),
                        assignee: random.next() % 3 == 0 ? nil : random.pick(users),
                        reporter: random.pick(users),
                        labels: random.next() % 2 == 0 ? [] : [random.pick(["backend", "frontend", "infra"])],
                        description: random.next() % 5 == 0 ? nil : "It happens every \(number) minutes.",
                        comments: random.next() % 4 == 0 ? ["I can reproduce it.", "So can I."] : [],
                        created: "\(created)T10:50:03.000+0000",
                        updated: "\(created)T12:00:00.000+0000",
                        duedate: random.next() % 3 == 0 ? "2026-12-\(10 + number % 20)" : nil
                    )
                )
            }
        }
        return issues
    }
}

/// A small generator with a fixed seed (Steele, Lea and Flood, "Fast splittable pseudorandom number generators").
private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func pick<T>(_ values: [T]) -> T { values[Int(self.next() % UInt64(values.count))] }
}
