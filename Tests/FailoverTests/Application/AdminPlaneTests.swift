import FailoverCore
import FailoverTesting
import Foundation
import Testing

@testable import Failover

@Suite("The admin plane's listeners")
struct AdminPlaneTests {
    @Test func oneThatFailsLeavesNoneOpen() async throws {
        let scratch = try Scratch()
        let path = scratch.path("socket")
        let taken = EchoBackend()
        let plane = AdminPlane()
        let error = await #expect(throws: (any Error).self) {
            _ = try await plane.prepare(
                AdminConfiguration(
                    listen: [.unix(path: path), .tcp(host: "127.0.0.1", port: UInt16(taken.port))]))
        }
        let message = error.map { "\($0)" }
        #expect(
            message?.contains("127.0.0.1:\(taken.port) for administration: Address already in use") == true)
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(plane.addresses == [])
    }
}
