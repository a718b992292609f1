import FailoverCore
import FailoverSystem
import FailoverTesting
import Synchronization
import Testing

@testable import FailoverChecks

@Suite("Name look-up")
struct NameResolverTests {
    let threads = BlockingThreads()

    @Test(arguments: [("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80")])
    func literalsNeedNoLookUp(host: String, text: String) async throws {
        let resolver = NameResolver(threads: threads) { name throws(PingFailure) in
            throw PingFailure(.other, "asked for \(name)")
        }
        let addresses = try await resolver.addresses(of: .tcp(host: host, port: 80), limit: .ample)
        #expect(addresses.map(\.description) == [text])
    }

    @Test func unixSocketIsItsOwnAddress() async throws {
        let resolver = NameResolver(threads: threads)
        let addresses = try await resolver.addresses(of: .unix(path: "/run/x.sock"), limit: .ample)
        #expect(addresses.map(\.description) == ["unix:/run/x.sock"])
        #expect(addresses.first?.bytes.dropFirst(2) == Array("/run/x.sock\u{0}".utf8)[...])
    }

    @Test func tooLongSocketPathIsLocal() async throws {
        let path = "/" + String(repeating: "x", count: 107)
        let error = await #expect(throws: PingFailure.self) {
            try await NameResolver(threads: threads).addresses(of: .unix(path: path), limit: .ample)
        }
        #expect(error?.reason == .local)
    }

    @Test func unknownNameIsUnresolved() async throws {
        let error = await #expect(throws: PingFailure.self) {
            try await NameResolver(threads: threads)
                .addresses(of: .tcp(host: "does-not-exist.invalid", port: 1), limit: .ample)
        }
        #expect(error?.reason == .unresolved)
        #expect(error?.detail.hasPrefix("does-not-exist.invalid: ") == true)
    }

    @Test func hangingLookUpIsSharedAndEachCallerHasItsOwnLimit() async throws {
        let gate = Gate()
        let calls = Counter()
        let resolver = NameResolver(threads: threads) { name throws(PingFailure) in
            calls.increment()
            gate.wait()
            return AddressList(literals: ["192.0.2.1"])
        }
        let endpoint = Endpoint.tcp(host: "db.example", port: 5432)
        async let patient = resolver.addresses(of: endpoint, limit: .ample)
        // It comes first: nobody else has the name looked up.
        #expect(await eventually { calls.value == 1 })
        for _ in 1...3 {
            await #expect(
                throws: PingFailure(
                    .timeout(.lookup), "db.example: no answer to the name look-up within 50 ms")
            ) {
                try await resolver.addresses(of: endpoint, limit: .milliseconds(50))
            }
        }
        gate.open()
        #expect(try await patient.map(\.description) == ["192.0.2.1:5432"])
        #expect(calls.value == 1)

        // The look-up has ended: the next caller begins another.
        _ = try await resolver.addresses(of: endpoint, limit: .ample)
        #expect(calls.value == 2)
    }

    @Test func hangingLookUpHoldsUpNoOtherName() async throws {
        let gate = Gate()
        let resolver = NameResolver(threads: threads) { name throws(PingFailure) in
            if name == "slow.example" { gate.wait() }
            return AddressList(literals: ["192.0.2.1"])
        }
        async let slow = resolver.addresses(of: .tcp(host: "slow.example", port: 1), limit: .ample)
        _ = try await resolver.addresses(of: .tcp(host: "quick.example", port: 1), limit: .ample)
        gate.open()
        _ = try await slow
    }
}
