// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let coreMetrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

let package = Package(
    name: "failover",
    products: [
        .executable(name: "failover", targets: ["FailoverCommand"]),
        .library(name: "Failover", targets: ["Failover"]),
        .library(name: "FailoverMonitor", targets: ["FailoverMonitor"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .target(name: "CLinux"),
        .systemLibrary(
            name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(
            name: "CMySQL", pkgConfig: "mysqlclient", providers: [.apt(["default-libmysqlclient-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),

        .target(name: "FailoverCore", swiftSettings: strict),
        .target(name: "FailoverSystem", dependencies: ["FailoverCore", "CLinux"], swiftSettings: strict),
        .target(
            name: "FailoverTLS", dependencies: ["FailoverCore", "FailoverSystem", "COpenSSL"], swiftSettings: strict),
        .target(
            name: "FailoverMonitor",
            dependencies: [
                "FailoverCore", "FailoverSystem", logging, metrics, lifecycle,
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict),
        .target(
            name: "FailoverChecks",
            dependencies: [
                "FailoverCore", "FailoverSystem", "FailoverTLS", "CLinux", "CPostgres", "CMySQL", "COpenSSL",
                "CHiredis",
            ],
            swiftSettings: strict),
        .target(
            name: "FailoverProxy",
            dependencies: ["FailoverCore", "FailoverSystem", "FailoverTLS", "CLinux", logging],
            swiftSettings: strict),
        .target(
            name: "FailoverTelemetry",
            dependencies: ["FailoverCore", "FailoverSystem", logging, coreMetrics],
            swiftSettings: strict),
        .target(
            name: "FailoverNotify",
            dependencies: ["FailoverCore", "FailoverSystem", "CCurl", logging, metrics],
            swiftSettings: strict),
        .target(
            name: "FailoverAdmin",
            dependencies: [
                "FailoverCore", "FailoverSystem", "CCurl", "COpenSSL", logging,
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            resources: [.embedInCode("Page/index.html"), .embedInCode("API/openapi.json")],
            swiftSettings: strict),
        .target(
            name: "FailoverConfiguration",
            dependencies: [
                "FailoverCore", "FailoverSystem", logging, "Yams",
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict),
        .target(
            name: "FailoverDoctor",
            dependencies: [
                "FailoverConfiguration", "FailoverChecks", "FailoverCore", "FailoverSystem", "FailoverTLS",
            ],
            swiftSettings: strict),
        .target(
            name: "Failover",
            dependencies: [
                "FailoverAdmin", "FailoverChecks", "FailoverConfiguration", "FailoverCore", "FailoverMonitor",
                "FailoverNotify", "FailoverProxy", "FailoverSystem", "FailoverTelemetry", "FailoverTLS", logging,
                metrics,
                lifecycle,
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "FailoverCommand",
            dependencies: [
                "Failover", "FailoverAdmin", "FailoverChecks", "FailoverConfiguration", "FailoverCore",
                "FailoverDoctor",
                "FailoverNotify", "FailoverProxy", "FailoverSystem", "FailoverTelemetry", logging, lifecycle,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),

        .executableTarget(
            name: "ServiceOfYourOwn", dependencies: ["FailoverMonitor", logging],
            path: "Sources/Examples/ServiceOfYourOwn",
            swiftSettings: strict),
        .executableTarget(
            name: "AroundClosures", dependencies: ["Failover", logging], path: "Sources/Examples/AroundClosures",
            swiftSettings: strict),
        .executableTarget(
            name: "LogHandler", dependencies: ["Failover", logging], path: "Sources/Examples/LogHandler",
            swiftSettings: strict),
        .executableTarget(
            name: "EmbeddedProxy",
            dependencies: [
                "Failover", logging, lifecycle,
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "Sources/Examples/EmbeddedProxy", swiftSettings: strict),

        .target(
            name: "FailoverTesting",
            dependencies: ["FailoverCore", "FailoverMonitor", "FailoverSystem", "FailoverTLS", logging],
            path: "Tests/FailoverTesting",
            swiftSettings: strict),
        .testTarget(
            name: "FailoverCoreTests",
            dependencies: ["FailoverCore", "FailoverSystem", "FailoverTesting"],
            swiftSettings: strict),
        .testTarget(
            name: "FailoverSystemTests", dependencies: ["FailoverSystem", "FailoverCore", "FailoverTesting"],
            swiftSettings: strict),
        .testTarget(
            name: "FailoverTLSTests",
            dependencies: ["FailoverTLS", "FailoverCore", "FailoverSystem", "FailoverTesting", "COpenSSL"],
            swiftSettings: strict),
        .testTarget(
            name: "FailoverMonitorTests",
            dependencies: [
                "FailoverMonitor", "FailoverCore", "FailoverSystem", "FailoverTesting", logging,
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "FailoverChecksTests",
            dependencies: ["FailoverChecks", "FailoverCore", "FailoverSystem", "FailoverTesting"],
            exclude: ["Corpus"],
            swiftSettings: strict),
        .testTarget(
            name: "FailoverProxyTests",
            dependencies: [
                "FailoverProxy", "FailoverCore", "FailoverSystem", "FailoverTLS", "FailoverTesting", logging,
            ],
            exclude: ["Corpus", "Transcripts"],
            swiftSettings: strict),
        .testTarget(
            name: "FailoverTelemetryTests",
            dependencies: [
                "FailoverTelemetry", "FailoverCore", "FailoverSystem", "FailoverTesting", logging, coreMetrics,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "FailoverNotifyTests",
            dependencies: ["FailoverNotify", "FailoverCore", "FailoverSystem", "FailoverTesting"],
            swiftSettings: strict),
        .testTarget(
            name: "FailoverAdminTests",
            dependencies: [
                "FailoverAdmin", "FailoverCore", "FailoverSystem", "FailoverTesting",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            exclude: ["Corpus"],
            swiftSettings: strict),
        .testTarget(
            name: "FailoverConfigurationTests",
            dependencies: ["FailoverConfiguration", "FailoverCore", "FailoverSystem", "FailoverTesting"],
            exclude: ["Corpus", "Fixtures"],
            swiftSettings: strict),
        .testTarget(
            name: "FailoverDoctorTests",
            dependencies: [
                "FailoverDoctor", "FailoverChecks", "FailoverConfiguration", "FailoverCore", "FailoverSystem",
                "FailoverTLS", "FailoverTesting",
            ],
            exclude: ["Corpus"],
            swiftSettings: strict),
        .testTarget(
            name: "FailoverTests",
            dependencies: [
                "Failover", "FailoverAdmin", "FailoverConfiguration", "FailoverCore", "FailoverNotify",
                "FailoverProxy", "FailoverSystem", "FailoverTLS", "FailoverTesting", logging,
            ],
            exclude: ["Corpus", "Fixtures"],
            swiftSettings: strict),
        .testTarget(
            name: "FailoverCommandTests",
            dependencies: [
                "Failover", "FailoverCommand", "FailoverAdmin", "FailoverConfiguration", "FailoverCore",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "IntegrationTests", dependencies: ["FailoverTesting", "FailoverCommand", "FailoverSystem"],
            exclude: ["Clients"],
            swiftSettings: strict),
    ]
)
