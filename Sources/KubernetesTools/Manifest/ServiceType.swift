/// How a Service is reached.
public enum ServiceType: String, CaseIterable, Codable, Sendable {
    /// From inside the cluster only.
    case clusterIP = "ClusterIP"
    /// Also at one high port of every node.
    case nodePort = "NodePort"
    /// Also through a load balancer that the cloud provider creates.
    case loadBalancer = "LoadBalancer"
}
