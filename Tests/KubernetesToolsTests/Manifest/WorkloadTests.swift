import Foundation
import TestSupport
import Testing
import Yams

@testable import KubernetesTools

@Suite("Workloads")
struct WorkloadTests {
    static let digest = "sha256:" + String(repeating: "0123456789abcdef", count: 4)

    static func workload(
        name: String = "web-shop",
        image: String = "registry.example.com/web-shop:1.4.2",
        replicas: Int = 2,
        port: Int = 8080,
        type: ServiceType = .clusterIP,
        cpu: String = "500m",
        memory: String = "512Mi"
    ) throws -> Workload {
        Workload(
            name: name,
            image: try ImageReference(parsing: image),
            replicas: replicas,
            containerPort: port,
            serviceType: type,
            cpuLimit: try Quantity.cpu(cpu),
            memoryLimit: try Quantity.memory(memory)
        )
    }

    /// Every combination of a few names, images, replicas, ports, types and limits.
    static var many: [Workload] {
        get throws {
            var workloads: [Workload] = []
            let names = ["a", "web-shop", "on", "null", "x" + String(repeating: "9", count: 51)]
            let images = ["nginx", "host:5000/img:1e3", "img:CPU-PORT-MEMORY", "img:1.4.2@\(Self.digest)"]
            let limits = [("500m", "512Mi"), ("1m", "1"), ("0.0001", "1.1Gi"), ("3", "129e6")]
            for name in names {
                for (index, image) in images.enumerated() {
                    for (type, limit) in zip(ServiceType.allCases + [.clusterIP], limits) {
                        workloads.append(
                            try Self.workload(
                                name: name,
                                image: image,
                                replicas: 1 + index * 3,
                                port: [1, 80, 8080, 65_535][index],
                                type: type,
                                cpu: limit.0,
                                memory: limit.1
                            )
                        )
                    }
                }
            }
            return workloads
        }
    }

    @Test("The manifest is the reviewed one")
    func snapshot() throws {
        let workload = try Self.workload(image: "registry.example.com/web-shop:1.4.2@\(Self.digest)")
        try Snapshot.expect(YAMLWriter.write(workload.objects.map(\.tree)), named: "web-shop.yaml")
        #expect(workload.warnings.isEmpty)
    }

    @Test("The same input gives the same bytes")
    func deterministic() throws {
        let texts = try (0..<5).map { _ in try YAMLWriter.write(Self.workload().objects.map(\.tree)) }
        #expect(Set(texts).count == 1)
    }

    @Test("Selectors find the pods, names are valid and ports agree, as a reader of the YAML sees it")
    func agreement() throws {
        for workload in try Self.many {
            let text = try YAMLWriter.write(workload.objects.map(\.tree))
            let documents = try Array(Yams.load_all(yaml: text)).compactMap { $0 as? [String: Any] }
            try #require(documents.count == 2)
            let (deployment, service) = (Path(documents[0]), Path(documents[1]))
            let template = deployment["spec"]["template"]
            let container = template["spec"]["containers"][0]

            let podLabels = try #require(template["metadata"]["labels"].value as? [String: String])
            for selector in [
                deployment["spec"]["selector"]["matchLabels"], service["spec"]["selector"],
                template["spec"]["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"][0][
                    "podAffinityTerm"
                ]["labelSelector"]["matchLabels"],
            ] {
                let wanted = try #require(selector.value as? [String: String])
                #expect(!wanted.isEmpty && wanted.allSatisfy { podLabels[$0.key] == $0.value })
                #expect(wanted["app.kubernetes.io/version"] == nil)
            }
            #expect(podLabels.values.allSatisfy { (1...63).contains($0.utf8.count) })

            for object in [deployment, service] {
                let name = try #require(object["metadata"]["name"].value as? String)
                #expect(name.utf8.count <= 63)
                #expect(object["metadata"]["namespace"].value == nil)
            }
            #expect(deployment["metadata"]["name"].value as? String == "\(workload.name)-deployment")
            #expect(service["metadata"]["name"].value as? String == "\(workload.name)-service")
            #expect(deployment["spec"]["replicas"].value as? Int == workload.replicas)
            #expect(container["image"].value as? String == workload.image.description)

            #expect(container["ports"][0]["containerPort"].value as? Int == workload.containerPort)
            #expect(service["spec"]["ports"][0]["port"].value as? Int == 80)
            #expect(service["spec"]["ports"][0]["targetPort"].value as? Int == workload.containerPort)
            #expect(service["spec"]["type"].value as? String == workload.serviceType.rawValue)
            let periods = try ["startupProbe", "readinessProbe", "livenessProbe"].map { name in
                #expect(container[name]["tcpSocket"]["port"].value as? Int == workload.containerPort)
                return try #require(container[name]["periodSeconds"].value as? Int)
            }
            #expect(Set(periods).count == 3)
        }
    }

    @Test("Requests are above zero and no higher than limits")
    func requests() throws {
        for workload in try Self.many {
            let resources = workload.objects[0].tree["spec"]?["template"]?["spec"]?["containers"]
            guard case .sequence(let containers) = resources, let resources = containers[0]["resources"] else {
                Issue.record("The Deployment has no container with resources.")
                return
            }
            let read = { (kind: String, resource: String) throws -> Int64 in
                guard case .string(let text) = resources[kind]?[resource] else { return -1 }
                return try resource == "cpu" ? Quantity.cpu(text).amount : Quantity.memory(text).amount
            }
            for resource in ["cpu", "memory", "ephemeral-storage"] {
                let (request, limit) = (try read("requests", resource), try read("limits", resource))
                #expect(request > 0 && request <= limit && request >= limit - request)
            }
        }
    }

    @Test("The pods meet the restricted Pod Security Standard")
    func restricted() throws {
        let text = try YAMLWriter.write(Self.workload(port: 80).objects.map(\.tree))
        let documents = try Array(Yams.load_all(yaml: text)).compactMap { $0 as? [String: Any] }
        let pod = Path(documents[0])["spec"]["template"]["spec"]
        let container = pod["containers"][0]
        for context in [pod["securityContext"], container["securityContext"]] {
            #expect(context["runAsNonRoot"].value as? Bool == true)
            #expect(context["runAsUser"].value as? Int == 10_001)
            #expect(context["runAsGroup"].value as? Int == 10_001)
            #expect(context["seccompProfile"]["type"].value as? String == "RuntimeDefault")
        }
        #expect(container["securityContext"]["allowPrivilegeEscalation"].value as? Bool == false)
        #expect(container["securityContext"]["readOnlyRootFilesystem"].value as? Bool == true)
        #expect(container["securityContext"]["capabilities"]["drop"].value as? [String] == ["ALL"])
        #expect(container["securityContext"]["capabilities"]["add"].value == nil)
        #expect(pod["automountServiceAccountToken"].value as? Bool == false)
        for field in ["hostNetwork", "hostPID", "hostIPC"] { #expect(pod[field].value == nil) }
        let volumes = try #require(pod["volumes"].value as? [[String: Any]])
        #expect(volumes.allSatisfy { Set($0.keys) == ["name", "emptyDir"] })
        #expect(pod["volumes"][0]["emptyDir"]["sizeLimit"].value as? String == "64Mi")
    }

    @Test("Each warning has its cause")
    func warnings() throws {
        let pinned = "img:1.4.2@\(Self.digest)"
        #expect(try Self.workload(image: pinned).warnings.isEmpty)
        let cases: [(Workload, [ManifestWarning.Code])] = [
            (try Self.workload(image: "img:1"), [.imageNotPinned]),
            (try Self.workload(image: "img:latest"), [.imageNotPinned, .imageFollowsLatest]),
            (try Self.workload(image: "host:5000/img"), [.imageNotPinned, .imageFollowsLatest]),
            (try Self.workload(image: "img:latest@\(Self.digest)"), []),
            (try Self.workload(image: pinned, port: 1_023), [.privilegedPort]),
            (try Self.workload(image: pinned, port: 1_024), []),
            (try Self.workload(image: pinned, type: .nodePort), [.nodePort]),
            (try Self.workload(image: pinned, type: .loadBalancer), [.loadBalancer]),
            (try Self.workload(image: pinned, replicas: 1), [.singleReplica]),
            (try Self.workload(name: String(repeating: "a", count: 35), image: pinned), []),
            (try Self.workload(name: String(repeating: "a", count: 36), image: pinned), [.longName]),
            (try Self.workload(image: pinned, cpu: "0.0001"), [.cpuRounded]),
            (try Self.workload(image: pinned, memory: "1.1Gi"), [.memoryRounded]),
            (try Self.workload(image: pinned, cpu: "257"), [.cpuImplausible]),
            (try Self.workload(image: pinned, cpu: "256"), []),
            (try Self.workload(image: pinned, memory: "4095Ki"), [.memoryImplausible]),
            (try Self.workload(image: pinned, memory: "4Mi"), []),
        ]
        for (workload, codes) in cases {
            #expect(workload.warnings.map(\.code) == codes)
            #expect(workload.warnings.allSatisfy { $0.message.hasSuffix(".") })
        }
        let seen = Set(cases.flatMap(\.1))
        #expect(seen == Set(ManifestWarning.Code.allCases))
    }
}

/// Walks through what Yams read; a missing step gives nil.
private struct Path {
    let value: Any?

    init(_ value: Any?) { self.value = value }

    subscript(key: String) -> Path { Path((self.value as? [String: Any])?[key]) }
    subscript(index: Int) -> Path {
        guard let array = self.value as? [Any], array.indices.contains(index) else { return Path(nil) }
        return Path(array[index])
    }
}
