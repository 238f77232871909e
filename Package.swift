// swift-tools-version: 6.2
import PackageDescription

/// Everything that a build run as a program needs: the declaration and the engine behind it.
let image: [Target.Dependency] = ["PipelineDSL", "PipelineRunner"]

let package = Package(
  name: "pipeline",
  platforms: [.macOS(.v14)],
  products: [
    .library(name: "PipelineDSL", targets: ["PipelineDSL"]),
    .library(name: "PipelineRunner", targets: ["PipelineRunner"]),
    .executable(name: "pipeline", targets: ["pipeline"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
  ],
  targets: [
    .target(name: "PipelineDSL"),
    .target(
      name: "PipelineRunner",
      dependencies: [
        "PipelineDSL", "CLinux", "CArchive", "CCrypto", "CCurl", "CISAL", "CSeccomp", "CZstd",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "SystemPackage", package: "swift-system"),
      ]
    ),
    .executableTarget(name: "pipeline", dependencies: ["PipelineRunner"]),

    .target(name: "CLinux", dependencies: ["CSeccomp"], cSettings: [.define("_GNU_SOURCE")]),
    .systemLibrary(
      name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(
      name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CISAL", pkgConfig: "libisal", providers: [.apt(["libisal-dev"])]),
    .systemLibrary(
      name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),

    .executableTarget(name: "MyImage", dependencies: image, path: "Examples/MyImage"),
    .executableTarget(
      name: "LightPython", dependencies: image + ["WheelTemplate"], path: "Examples/LightPython",
      exclude: ["requirements.txt"]),
    .executableTarget(
      name: "WheelTools", dependencies: image + ["WheelTemplate"], path: "Examples/WheelTools",
      exclude: ["tools.txt"]),
    .executableTarget(
      name: "Service", dependencies: image, path: "Examples/Service", exclude: ["server.c"]),
    .executableTarget(
      name: "TestMatrix", dependencies: image, path: "Examples/TestMatrix", exclude: ["tests"]),
    .target(
      name: "WheelTemplate", dependencies: ["PipelineDSL"], path: "Examples/WheelTemplate"),

    .executableTarget(name: "Benchmarks", path: "Benchmarks/Builds"),
    .executableTarget(
      name: "ParserFuzz", dependencies: ["PipelineDSL"], path: "Benchmarks/ParserFuzz"),

    .testTarget(
      name: "PipelineDSLTests", dependencies: ["PipelineDSL"], exclude: ["Corpus"]),
    .testTarget(name: "PipelineRunnerTests", dependencies: ["PipelineRunner"]),
    // The programs are dependencies so that they are built: the tests run them.
    .testTarget(
      name: "EndToEndTests",
      dependencies: [
        "PipelineRunner", "CCrypto", "pipeline", "MyImage", "LightPython", "WheelTools",
      ],
      exclude: ["Cases", "record", "server.py"]),
  ],
  swiftLanguageModes: [.v6]
)

/// The upcoming language rules that every Swift target follows.
var settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("InferIsolatedConformances"),
]
// A warning in continuous integration is an error; for a user it is not the end of a build.
if Context.environment["CI"] != nil { settings.append(.treatAllWarnings(as: .error)) }
let cTargets: Set = ["CLinux", "CArchive", "CCrypto", "CCurl", "CISAL", "CSeccomp", "CZstd"]
// Several C modules read the same headers of the C library, and which of them a structure such as
// `stat` belongs to changes with what else is imported; so the rule holds where there is no C.
let targetsWithoutC: Set = ["PipelineDSL", "PipelineDSLTests", "WheelTemplate"]
for target in package.targets where !cTargets.contains(target.name) {
  target.swiftSettings = (target.swiftSettings ?? []) + settings
  if targetsWithoutC.contains(target.name) {
    target.swiftSettings?.append(.enableUpcomingFeature("MemberImportVisibility"))
  }
}
