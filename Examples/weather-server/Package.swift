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
        .package(name: "gantry", path: "../..")
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
            dependencies: ["WeatherServer", gantry("MCPHTTP"), gantry("MCPServer"), gantry("MCPStdio")],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "WeatherServerTests",
            dependencies: ["WeatherServer", gantry("JSON"), gantry("MCP"), gantry("MCPClient"), gantry("MCPServer")],
            swiftSettings: swiftSettings
        ),
    ]
)
