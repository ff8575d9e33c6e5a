public import MCPServer

/// Writes a Deployment and a Service for one application.
///
/// It reaches no cluster: the same arguments give the same text.
public struct GenerateManifest: Tool {
    public static let name: ToolName = "k8s.generate_manifest"
    public static let title: String? = "Generate a Kubernetes manifest"
    public static let description = """
        Writes a Kubernetes manifest (YAML) that runs a container image: a Deployment named {app_name}-deployment and a \
        Service named {app_name}-service, which listens at port 80 and forwards to container_port.

        Use it when someone wants to run a stateless application on Kubernetes, or needs a hardened Deployment to start from.
        Do not use it for databases and other stateful sets, jobs, Ingress, NetworkPolicy, ConfigMaps, Secrets or autoscaling, nor to \
        change or check a manifest that exists. It does not contact a cluster: nothing is deployed.

        The pods meet the restricted Pod Security Standard: the process runs as user 10001 without capabilities, the file \
        system is read-only except /tmp (64Mi), and no service account token is mounted. An image that needs root or writes \
        elsewhere does not run this way. Requests are half of the limits; disk is limited to 256Mi. Probes check that \
        container_port accepts TCP connections. No namespace is written: choose it with kubectl apply -n NAMESPACE -f -.

        Returns the YAML text (manifest), the objects in it (kind, name), and warnings (code, message): what works but \
        should be improved, for example an image without digest. Tell the user about the warnings. Wrong arguments are \
        refused, all mistakes at once.

        Example: {"app_name": "web-shop", "image": "registry.example.com/web-shop:1.4.2", "container_port": 8080, \
        "replicas": 3, "resource_limits": {"cpu": "500m", "memory": "512Mi"}}
        """
    public static let effect: Effect = .read
    public static let permission: Permission = "k8s:read"

    public struct ResourceLimits: ToolArguments {
        @Param(
            "Most CPU per pod, in cores: 500m is half a core, 2 are two. Half of it is requested.",
            .check { Quantity.cpuProblem($0) },
            .examples(["500m", "2", "0.25"])
        )
        public var cpu: String = "500m"

        @Param(
            "Most memory per pod, with the unit Ki, Mi or Gi (or k, M, G). Half of it is requested.",
            .check { Quantity.memoryProblem($0) },
            .examples(["512Mi", "2Gi", "1.5Gi"])
        )
        public var memory: String = "512Mi"

        public init() {}
    }

    public struct Arguments: ToolArguments {
        @Param(
            "Name of the application: lower-case letters, digits and hyphens, starting with a letter",
            .pattern(Workload.namePattern),
            .length(1...Workload.maximumNameLength),
            .examples(["web-shop"])
        )
        public var appName: String

        @Param(
            "Container image: registry, repository and tag, best with the digest of the image that was tested",
            .check { ImageReference.problem($0) },
            .examples(["registry.example.com/web-shop:1.4.2"])
        )
        public var image: String

        @Param("How many pods run", .range(1...10))
        public var replicas: Int = 2

        @Param(
            "TCP port at which the container listens; prefer 1024 or above",
            .range(1...65_535),
            .examples([8_080])
        )
        public var containerPort: Int

        @Param(
            """
            How the Service is reached: ClusterIP from inside the cluster, NodePort at a port of every node, LoadBalancer \
            through a load balancer of the cloud provider
            """
        )
        public var serviceType: ServiceType = .clusterIP

        @Param("The most that each pod may use")
        public var resourceLimits: ResourceLimits = .init()

        public init() {}
    }

    /// One object of the manifest.
    public struct Object: ToolOutput {
        public var kind: String
        public var name: String
    }

    /// Something that works but should be known or improved.
    public struct Warning: ToolOutput {
        public var code: String
        public var message: String

        public static let descriptions = ["code": "What it is about, for programs", "message": "What to do about it"]
    }

    public struct Output: ToolOutput {
        public var manifest: String
        public var objects: [Object]
        public var warnings: [Warning]

        public static let descriptions = [
            "manifest": "The YAML text: one document per object, each started by ---",
            "objects": "The objects in the manifest, in its order",
            "warnings": "What works but should be improved; empty if there is nothing to say",
        ]
    }

    public init() {}

    public func call(_ arguments: Arguments, _ context: ToolContext) async throws -> Output {
        // The arguments have been checked, so nothing is thrown here for what a caller wrote.
        let workload = Workload(
            name: arguments.appName,
            image: try ImageReference(parsing: arguments.image),
            replicas: arguments.replicas,
            containerPort: arguments.containerPort,
            serviceType: arguments.serviceType,
            cpuLimit: try Quantity.cpu(arguments.resourceLimits.cpu),
            memoryLimit: try Quantity.memory(arguments.resourceLimits.memory)
        )
        let objects = workload.objects
        return Output(
            manifest: try YAMLWriter.write(objects.map(\.tree)),
            objects: objects.map { Object(kind: $0.kind, name: $0.name) },
            warnings: workload.warnings.map { Warning(code: $0.code.rawValue, message: $0.message) }
        )
    }
}

extension ServiceType: ToolEnum {}
