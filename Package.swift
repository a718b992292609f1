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

let package = Package(
    name: "failover",
    products: [
        .executable(name: "failover", targets: ["FailoverCommand"]),
        .library(name: "Failover", targets: ["Failover"]),
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

        .target(
            name: "FailoverCore",
            dependencies: [logging, .product(name: "Metrics", package: "swift-metrics")],
            swiftSettings: strict),
        .target(name: "FailoverSystem", dependencies: ["FailoverCore", "CLinux"], swiftSettings: strict),
        .target(
            name: "FailoverChecks",
            dependencies: ["FailoverCore", "FailoverSystem", "CLinux", "CPostgres", "CMySQL", "COpenSSL", "CHiredis"],
            swiftSettings: strict),
        .target(
            name: "FailoverProxy",
            dependencies: ["FailoverCore", "FailoverSystem", "CLinux", logging],
            swiftSettings: strict),
        .target(
            name: "FailoverNotify",
            dependencies: [
                "FailoverCore", "FailoverSystem", "CCurl", logging, .product(name: "Metrics", package: "swift-metrics"),
            ],
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
            name: "FailoverMetrics",
            dependencies: ["FailoverCore", .product(name: "CoreMetrics", package: "swift-metrics")],
            swiftSettings: strict),
        .target(
            name: "Failover",
            dependencies: [
                "FailoverCore", "FailoverSystem", "FailoverChecks", "FailoverProxy", "FailoverNotify", "FailoverAdmin",
                "FailoverMetrics", .product(name: "Metrics", package: "swift-metrics"),
                logging, "Yams",
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "FailoverCommand",
            dependencies: [
                "Failover", "FailoverAdmin", "FailoverCore", "FailoverNotify", "FailoverSystem", logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),

        .executableTarget(
            name: "ServiceOfYourOwn", dependencies: ["Failover", logging], path: "Sources/Examples/ServiceOfYourOwn",
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
                "Failover", logging, .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "Sources/Examples/EmbeddedProxy", swiftSettings: strict),

        .target(
            name: "FailoverTesting",
            dependencies: ["FailoverCore", "FailoverSystem", logging],
            path: "Tests/FailoverTesting",
            swiftSettings: strict),
        .testTarget(
            name: "FailoverCoreTests", dependencies: ["FailoverCore", "FailoverTesting", logging],
            swiftSettings: strict),
        .testTarget(
            name: "FailoverSystemTests", dependencies: ["FailoverSystem", "FailoverCore", "FailoverTesting"],
            swiftSettings: strict),
        .testTarget(
            name: "FailoverChecksTests",
            dependencies: ["FailoverChecks", "FailoverCore", "FailoverSystem", "FailoverTesting"],
            exclude: ["Corpus"],
            swiftSettings: strict),
        .testTarget(
            name: "FailoverProxyTests",
            dependencies: ["FailoverProxy", "FailoverCore", "FailoverSystem", "FailoverTesting", logging],
            exclude: ["Corpus", "Transcripts"],
            swiftSettings: strict),
        .testTarget(
            name: "FailoverNotifyTests",
            dependencies: ["FailoverNotify", "FailoverCore", "FailoverSystem", "FailoverTesting", logging],
            swiftSettings: strict),
        .testTarget(
            name: "FailoverMetricsTests",
            dependencies: [
                "FailoverMetrics", "FailoverSystem", "FailoverTesting",
                .product(name: "CoreMetrics", package: "swift-metrics"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "FailoverAdminTests",
            dependencies: [
                "FailoverAdmin", "FailoverCore", "FailoverTesting", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            exclude: ["Corpus"],
            swiftSettings: strict),
        .testTarget(
            name: "FailoverTests",
            dependencies: [
                "Failover", "FailoverAdmin", "FailoverChecks", "FailoverCore", "FailoverProxy", "FailoverSystem",
                "FailoverTesting", logging,
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            exclude: ["Corpus", "Fixtures"],
            swiftSettings: strict),
        .testTarget(
            name: "IntegrationTests", dependencies: ["FailoverTesting", "FailoverCommand"], exclude: ["Clients"],
            swiftSettings: strict),
    ]
)
