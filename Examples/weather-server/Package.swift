// swift-tools-version: 6.2

import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

func gantry(_ name: String) -> Target.Dependency { .product(name: name, package: "gantry") }

let package = Package(
    name: "weather-server",
    dependencies: [
        .package(name: "gantry", path: "../.."),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // The tools, without any transport, so that tests reach them
        .target(
            name: "WeatherServer",
            dependencies: [gantry("JSON"), gantry("MCP"), gantry("MCPServer")],
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "weather-server",
            dependencies: [
                "WeatherServer", gantry("MCPHTTP"), gantry("MCPServer"), gantry("MCPStdio"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "WeatherServerTests",
            dependencies: ["WeatherServer", gantry("JSON"), gantry("MCP"), gantry("MCPClient"), gantry("MCPServer")],
            swiftSettings: swiftSettings
        ),
    ]
)
