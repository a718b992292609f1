// No part of the package: scripts/fuzzing/build puts it together with the targets of the tests' folders.

import FailoverTesting
import Foundation

private let targets =
    FuzzTarget.ofProxy + FuzzTarget.ofChecks + FuzzTarget.ofDoctor + FuzzTarget.ofAdmin + FuzzTarget.ofConfiguration
    + FuzzTarget.ofTakeover

/// The one that is to be played.
private let target: FuzzTarget = {
    let name = ProcessInfo.processInfo.environment["FUZZ_TARGET"] ?? ""
    guard let target = targets.first(where: { $0.name == name }) else {
        print("FUZZ_TARGET is none of \(targets.map(\.name).joined(separator: " "))")
        exit(2)
    }
    return target
}()

/// Called by libFuzzer with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    if let violation = target.violation(in: bytes) { fatalError("\(target.name): \(violation)") }
    return 0
}
