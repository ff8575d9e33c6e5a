/// An application that runs as equal pods behind one port.
struct Workload: Hashable, Sendable {
    /// A DNS-1035 label of at most ``maximumNameLength`` characters.
    let name: String
    let image: ImageReference
    let replicas: Int
    let containerPort: Int
    let serviceType: ServiceType
    let cpuLimit: Quantity
    let memoryLimit: Quantity

    /// What a name looks like: the rule for Services, which is the strictest of those that apply.
    static let namePattern = "^[a-z]([-a-z0-9]*[a-z0-9])?$"
    /// Longest name for which `{name}-deployment` still is a DNS label of 63 characters.
    ///
    /// Pod names stay valid too: Kubernetes cuts what it generates to 63 characters.
    static let maximumNameLength = 63 - "-deployment".count
    /// The port at which the Service listens.
    static let servicePort = 80

    var deploymentName: String { "\(self.name)-deployment" }
    var serviceName: String { "\(self.name)-service" }
}
