/// Something that works but that the owner of the application should know or change.
struct ManifestWarning: Hashable, Sendable {
    /// What is worth a warning.
    ///
    /// The raw values are part of the tool's interface.
    enum Code: String, CaseIterable {
        case imageNotPinned = "image_not_pinned"
        case imageFollowsLatest = "image_follows_latest"
        case privilegedPort = "privileged_port"
        case nodePort = "node_port"
        case loadBalancer = "load_balancer"
        case singleReplica = "single_replica"
        case longName = "long_name"
        case cpuRounded = "cpu_rounded"
        case memoryRounded = "memory_rounded"
        case cpuImplausible = "cpu_implausible"
        case memoryImplausible = "memory_implausible"
    }

    let code: Code
    let message: String
}
