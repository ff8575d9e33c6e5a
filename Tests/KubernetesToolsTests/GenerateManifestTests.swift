import JSON
import MCPServer
import TestSupport
import Testing
import Yams

@testable import KubernetesTools

@Suite("k8s.generate_manifest")
struct GenerateManifestTests {
    private static let good: JSONObject = [
        "app_name": "web-shop", "image": "registry.example.com/web-shop:1.4.2", "container_port": 8080,
    ]
    private let server = MCPServer(name: "test", version: "0") { GenerateManifest() }

    /// Calls the tool by the road that every transport takes.
    private func call(_ arguments: JSONObject) async throws(ToolError) -> JSONValue {
        let invocation = ToolInvocation(
            tool: "k8s.generate_manifest",
            arguments: arguments,
            requestID: "1",
            transport: "test",
            principal: .local
        )
        return try await self.server.callTool(invocation).structured
    }

    private static func with(_ changes: JSONObject) -> JSONObject {
        var arguments = Self.good
        for (key, value) in changes { arguments[key] = value }
        return arguments
    }

    @Test("Models see the reviewed definition")
    func definition() throws {
        let text = self.server.tools(for: .local).serializedString(pretty: true) + "\n"
        try Snapshot.expect(text, named: "k8s.generate_manifest.json")
    }

    @Test("Without optional arguments there are two pods behind a ClusterIP with half a core and 512Mi")
    func defaults() async throws {
        let result = try await self.call(Self.good)
        #expect(result["objects"]?[0]?["kind"]?.stringValue == "Deployment")
        #expect(result["objects"]?[0]?["name"]?.stringValue == "web-shop-deployment")
        #expect(result["objects"]?[1]?["kind"]?.stringValue == "Service")
        #expect(result["objects"]?[1]?["name"]?.stringValue == "web-shop-service")
        #expect(result["warnings"]?.arrayValue?.compactMap { $0["code"]?.stringValue } == ["image_not_pinned"])

        let expected = try YAMLWriter.write(WorkloadTests.workload().objects.map(\.tree))
        #expect(result["manifest"]?.stringValue == expected)
    }

    @Test("Every argument arrives")
    func everyArgument() async throws {
        let result = try await self.call([
            "app_name": "api", "image": "img:2", "replicas": 7, "container_port": 9090, "service_type": "LoadBalancer",
            "resource_limits": ["cpu": "2", "memory": "1.5Gi"],
        ])
        let expected = try WorkloadTests.workload(
            name: "api",
            image: "img:2",
            replicas: 7,
            port: 9_090,
            type: .loadBalancer,
            cpu: "2",
            memory: "1.5Gi"
        )
        #expect(try result["manifest"]?.stringValue == YAMLWriter.write(expected.objects.map(\.tree)))
        #expect(result["warnings"]?.arrayValue?.count == 2)
    }

    @Test("A limit that is left out keeps its default")
    func partialLimits() async throws {
        let result = try await self.call(Self.with(["resource_limits": ["cpu": "1"]]))
        let expected = try WorkloadTests.workload(cpu: "1")
        #expect(try result["manifest"]?.stringValue == YAMLWriter.write(expected.objects.map(\.tree)))
    }

    static let refused: [(arguments: JSONObject, pointers: Set<String>)] = [
        ([:], ["/app_name", "/image", "/container_port"]),
        (with(["app_name": "Web"]), ["/app_name"]),
        (with(["app_name": "9web"]), ["/app_name"]),
        (with(["app_name": "web-"]), ["/app_name"]),
        (with(["app_name": "web_shop"]), ["/app_name"]),
        (with(["app_name": "web\n"]), ["/app_name"]),
        (with(["app_name": .string(String(repeating: "a", count: 53))]), ["/app_name"]),
        (with(["image": "https://registry.example.com/web"]), ["/image"]),
        (with(["image": ""]), ["/image"]),
        (with(["container_port": 0]), ["/container_port"]),
        (with(["container_port": 65_536]), ["/container_port"]),
        (with(["replicas": 0]), ["/replicas"]),
        (with(["replicas": 11]), ["/replicas"]),
        (with(["replicas": 1.5]), ["/replicas"]),
        (with(["service_type": "ExternalName"]), ["/service_type"]),
        (with(["resource_limits": ["memory": "1gb"]]), ["/resource_limits/memory"]),
        (with(["resource_limits": ["cpu": "0", "gpu": "1"]]), ["/resource_limits/cpu", "/resource_limits/gpu"]),
        (with(["namespace": "shop"]), ["/namespace"]),
        (
            [
                "app_name": "Web Shop", "image": "Team/Web:", "replicas": 0, "container_port": 0,
                "service_type": "Ingress",
                "resource_limits": ["cpu": "-1", "memory": "1gb"],
            ],
            [
                "/app_name", "/image", "/replicas", "/container_port", "/service_type", "/resource_limits/cpu",
                "/resource_limits/memory",
            ]
        ),
    ]

    @Test("What can't work is refused, with all mistakes at once", arguments: refused)
    func refuses(arguments: JSONObject, pointers: Set<String>) async throws {
        let error = try #require(await #expect(throws: ToolError.self) { try await self.call(arguments) })
        #expect(error.code == .invalidArguments)
        #expect(Set(error.mistakes.map(\.pointer.description)) == pointers)
    }
}
