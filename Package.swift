// swift-tools-version: 6.2

import PackageDescription

// One list for every Swift target, so that a rule holds everywhere or nowhere.
let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

// Elementwise kernels in C: the same speed in a debug build, so that tests with the real model stay fast.
let cSettings: [CSetting] = [
    .unsafeFlags(["-O3", "-ffast-math", "-fno-finite-math-only", "-Wall", "-Wextra", "-Werror"])
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let dequeModule = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTesting = Target.Dependency.product(name: "HummingbirdTesting", package: "hummingbird")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let serviceLifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
    name: "gantry",
    products: [
        .executable(name: "gantry", targets: ["gantry"]),
        .library(name: "JSON", targets: ["JSON"]),
        .library(name: "MCP", targets: ["MCP"]),
        .library(name: "SharedState", targets: ["SharedState"]),
        .library(name: "MCPServer", targets: ["MCPServer"]),
        .library(name: "MCPHTTP", targets: ["MCPHTTP"]),
        .library(name: "MCPStdio", targets: ["MCPStdio"]),
        .library(name: "MCPClient", targets: ["MCPClient"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: ["YAML"]),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.35.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    ],
    targets: [
        // Protocol
        .target(name: "JSON", swiftSettings: swiftSettings),
        .target(name: "MCP", dependencies: ["JSON"], swiftSettings: swiftSettings),
        .target(name: "SharedState", swiftSettings: swiftSettings),
        .target(
            name: "MCPServer",
            dependencies: ["JSON", "MCP", "SharedState", crypto, logging],
            swiftSettings: swiftSettings
        ),
        // No unsafe flags: packages that depend on the library products could not be built otherwise.
        .target(name: "CAllocator"),
        .target(
            name: "MCPHTTP",
            dependencies: [
                "CAllocator", "JSON", "MCP", "MCPServer", "SharedState", httpTypes, hummingbird, hummingbirdCore,
                logging, nioCore, nioHTTPTypes, serviceLifecycle, unixSignals,
            ],
            swiftSettings: swiftSettings
        ),
        .target(name: "MCPStdio", dependencies: ["JSON", "MCP", "MCPServer", logging], swiftSettings: swiftSettings),
        .target(name: "MCPClient", dependencies: ["JSON", "MCP", "MCPServer"], swiftSettings: swiftSettings),
        // Domain engines
        .target(
            name: "Access",
            dependencies: ["JSON", "MCP", "MCPServer", crypto, cryptoExtras, logging, yams],
            swiftSettings: swiftSettings
        ),
        .target(name: "Knowledge", dependencies: ["JSON", "SharedState", crypto], swiftSettings: swiftSettings),
        .target(
            name: "Audit",
            dependencies: ["JSON", "MCP", "MCPServer", crypto, logging],
            swiftSettings: swiftSettings
        ),
        // Adapters, one outside thing each
        .target(name: "AccessPostgres", dependencies: ["Access", "Postgres", logging], swiftSettings: swiftSettings),
        .target(
            name: "AuditPostgres",
            dependencies: ["Audit", "Postgres", "JSON", "MCP", logging],
            swiftSettings: swiftSettings
        ),
        .target(name: "AuditSQLite", dependencies: ["Audit", "JSON", grdb], swiftSettings: swiftSettings),
        .target(name: "CKernels", cSettings: cSettings),
        .target(name: "CFullText", cSettings: cSettings, linkerSettings: [.linkedLibrary("sqlite3")]),
        .systemLibrary(name: "CLibXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
        .target(
            name: "Embedding",
            dependencies: ["CKernels", "JSON", "Knowledge", "Upstream"],
            swiftSettings: swiftSettings
        ),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(
            name: "Extraction",
            dependencies: ["CLibXML2", "CZlib", "JSON", "Knowledge", "Processes"],
            swiftSettings: swiftSettings
        ),
        .target(name: "Crawling", dependencies: ["Knowledge", "Processes"], swiftSettings: swiftSettings),
        .target(name: "Processes", dependencies: [subprocess], swiftSettings: swiftSettings),
        .target(
            name: "KnowledgeSQLite",
            dependencies: ["CFullText", "CKernels", "JSON", "Knowledge", grdb],
            swiftSettings: swiftSettings
        ),
        .systemLibrary(name: "Clibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .target(name: "Postgres", dependencies: ["Clibpq", logging], swiftSettings: swiftSettings),
        .target(
            name: "KnowledgePostgres",
            dependencies: ["JSON", "Knowledge", "Postgres", logging],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "SharedStateRedis",
            dependencies: ["SharedState", crypto, dequeModule, logging, nioCore, nioPosix, nioSSL],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "Upstream",
            dependencies: ["JSON", asyncHTTPClient, logging, nioCore, nioHTTP1],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "Secrets",
            dependencies: ["JSON", "Upstream", crypto, logging],
            swiftSettings: swiftSettings
        ),
        .target(name: "Reranking", dependencies: ["JSON", "Knowledge", "Upstream"], swiftSettings: swiftSettings),
        .target(name: "Telemetry", dependencies: ["JSON", logging], swiftSettings: swiftSettings),
        // Tools
        .target(
            name: "JiraTools",
            dependencies: ["JSON", "MCPServer", "SharedState", "Upstream", logging],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "CoordinationTools",
            dependencies: ["JSON", "MCPServer", "SharedState", logging],
            swiftSettings: swiftSettings
        ),
        .target(name: "KubernetesTools", dependencies: ["JSON", "MCPServer", yams], swiftSettings: swiftSettings),
        .target(
            name: "KnowledgeTools",
            dependencies: ["JSON", "Knowledge", "MCP", "MCPServer"],
            swiftSettings: swiftSettings
        ),
        // The application
        .target(
            name: "GantryServer",
            dependencies: [
                "Access", "AccessPostgres", "Audit", "AuditPostgres", "AuditSQLite", "CoordinationTools",
                "Crawling", "Embedding", "Extraction", "JSON", "JiraTools", "Knowledge", "KnowledgePostgres",
                "KnowledgeSQLite", "KnowledgeTools", "KubernetesTools", "MCP", "MCPClient", "MCPHTTP", "MCPServer",
                "MCPStdio", "Postgres", "Reranking", "Secrets", "SharedState", "SharedStateRedis", "Telemetry",
                "Upstream", configuration, httpTypes,
                hummingbird, logging, nioCore, serviceLifecycle, unixSignals,
                yams,
            ],
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "gantry",
            dependencies: [
                "Access", "Audit",
                "Extraction", "GantryServer", "JSON", "Knowledge", "MCPServer", "Telemetry", argumentParser, logging,
            ],
            swiftSettings: swiftSettings
        ),
        // What the conformance suite and the tests of whole clients are pointed at; not part of the product
        .executableTarget(
            name: "gantry-everything",
            dependencies: [
                "JSON", "MCP", "MCPHTTP", "MCPServer", "MCPStdio", "SharedState", "SharedStateRedis", argumentParser,
                logging,
            ],
            path: "Fixtures/gantry-everything",
            swiftSettings: swiftSettings
        ),
        // What `make bench` compares with; not part of the product
        .executableTarget(
            name: "constant-server",
            dependencies: [argumentParser, hummingbird, httpTypes, logging, nioCore],
            path: "Benchmarks/constant-server",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "knowledge-bench",
            dependencies: [
                "JSON", "Knowledge", "KnowledgePostgres", "KnowledgeSQLite", "Postgres", argumentParser, logging,
            ],
            path: "Benchmarks/knowledge-bench",
            swiftSettings: swiftSettings
        ),
        // What `make bench` compares with onnxruntime; not part of the product
        .executableTarget(
            name: "embedding-bench",
            dependencies: ["Embedding", "JSON", "Knowledge"],
            path: "Benchmarks/embedding-bench",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "access-bench",
            dependencies: [
                "Access", "Audit", "JSON", "MCP", "MCPHTTP", "MCPServer", crypto, cryptoExtras, httpTypes, hummingbird,
                logging,
            ],
            path: "Benchmarks/access-bench",
            swiftSettings: swiftSettings
        ),
        // Fuzzing: a target of its own, so that it reaches what is `package`; no product
        .executableTarget(
            name: "gantry-fuzz",
            dependencies: [
                "JSON", "MCP", "MCPHTTP", "MCPServer", "MCPStdio", "SharedState", argumentParser, httpTypes,
                hummingbird, logging, nioCore,
            ],
            path: "Fuzz/gantry-fuzz",
            swiftSettings: swiftSettings
        ),
        // Tests
        .testTarget(
            name: "AccessTests",
            dependencies: [
                "Access", "AccessPostgres", "JSON", "MCP", "MCPServer", "Postgres", "TestSupport", crypto, cryptoExtras,
                logging,
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(name: "JSONTests", dependencies: ["JSON"], swiftSettings: swiftSettings),
        .testTarget(
            name: "AuditTests",
            dependencies: [
                "Audit", "AuditPostgres", "AuditSQLite", "JSON", "MCP", "MCPClient", "MCPServer", "Postgres",
                "TestSupport", grdb, logging,
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "EmbeddingTests",
            dependencies: ["CKernels", "Embedding", "JSON", "Knowledge", "Upstream"],
            exclude: ["Fixtures"],
            swiftSettings: swiftSettings
        ),
        // What several test targets use; no part of the products.
        .target(
            name: "TestSupport",
            dependencies: ["Postgres", "SharedState", logging],
            path: "Tests/TestSupport",
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "KnowledgeTests",
            dependencies: ["JSON", "Knowledge"],
            exclude: ["QuestionPairs"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "KnowledgeSQLiteTests",
            dependencies: [
                "JSON", "Knowledge", "KnowledgePostgres", "KnowledgeSQLite", "Postgres", "TestSupport", grdb, logging,
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(name: "CrawlingTests", dependencies: ["Crawling", "Knowledge"], swiftSettings: swiftSettings),
        .testTarget(
            name: "ExtractionTests",
            dependencies: ["Extraction", "JSON", "Knowledge"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "RerankingTests",
            dependencies: ["JSON", "Reranking", "Upstream"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "KnowledgeToolsTests",
            dependencies: [
                "Extraction", "JSON", "Knowledge", "KnowledgeSQLite", "KnowledgeTools", "MCP", "MCPClient", "MCPServer",
                "SharedState", "TestSupport",
            ],
            exclude: ["Snapshots"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "CoordinationToolsTests",
            dependencies: [
                "CoordinationTools", "JSON", "MCP", "MCPClient", "MCPServer", "SharedState", "SharedStateRedis",
                "TestSupport", logging,
            ],
            exclude: ["Snapshots"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "KubernetesToolsTests",
            dependencies: ["JSON", "KubernetesTools", "MCPServer", "TestSupport", yams],
            exclude: ["Snapshots"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "JiraToolsTests",
            dependencies: ["JSON", "JiraTools", "MCPServer", "SharedState", "Upstream", logging],
            swiftSettings: swiftSettings
        ),
        .testTarget(name: "PostgresTests", dependencies: ["Postgres", logging], swiftSettings: swiftSettings),
        .testTarget(
            name: "SharedStateTests",
            dependencies: ["SharedState", "SharedStateRedis", "TestSupport", logging, nioCore],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "SecretsTests",
            dependencies: ["JSON", "Secrets", "Upstream", crypto, logging],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "UpstreamTests",
            dependencies: ["Upstream", httpTypes, hummingbird, hummingbirdTesting, nioCore],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "TelemetryTests",
            dependencies: ["JSON", "Telemetry", logging],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "GantryServerTests",
            dependencies: [
                "Access", "GantryServer", "JSON", "Knowledge", "MCPServer", "Upstream", configuration, httpTypes,
                hummingbird, hummingbirdTesting, logging, nioCore,
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "MCPServerTests",
            dependencies: ["JSON", "MCP", "MCPClient", "MCPServer", "SharedState", "TestSupport", logging],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "MCPStdioTests",
            dependencies: ["JSON", "MCP", "MCPServer", "MCPStdio"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "MCPHTTPTests",
            dependencies: [
                "JSON", "MCP", "MCPHTTP", "MCPServer", "SharedState", httpTypes, hummingbird, hummingbirdTesting,
                nioCore,
            ],
            swiftSettings: swiftSettings
        ),
    ]
)

// `make docs` alone needs the plugin, so everybody else neither fetches nor builds it.
if Context.environment["DOCS"] != nil {
    package.dependencies.append(.package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.4.0"))
}
