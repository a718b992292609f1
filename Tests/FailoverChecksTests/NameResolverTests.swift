import FailoverCore
import FailoverSystem
import FailoverTesting
import Glibc
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
        // This caller comes first: no other caller starts the look-up.
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

        // The look-up has ended, so the next caller starts another.
        _ = try await resolver.addresses(of: endpoint, limit: .ample)
        #expect(calls.value == 2)
    }

    /// A name server with its current answer.
    private final class NameServer: Sendable {
        private let answer = Lock<Result<[String], PingFailure>>(.success(["192.0.2.1"]))

        func set(_ result: Result<[String], PingFailure>) { answer.withLock { $0 = result } }

        func lookUp(_ name: String) throws(PingFailure) -> AddressList {
            AddressList(literals: try answer.withLock { $0 }.get())
        }
    }

    @Test(arguments: [
        "db.example: Name or service not known", "db.example: Temporary failure in name resolution",
        "db.example: Non-recoverable failure in name resolution",
    ])
    func whileNameServersAreAwayANameIsWhereItWas(message: String) async throws {
        let server = NameServer()
        let resolver = NameResolver(threads: threads) { name throws(PingFailure) in try server.lookUp(name) }
        let endpoint = Endpoint.tcp(host: "db.example", port: 5432)
        let limit = Duration.seconds(60)
        #expect(try await resolver.addresses(of: endpoint, limit: limit).map(\.description) == ["192.0.2.1:5432"])
        let failure = PingFailure(.unresolved, message)
        server.set(.failure(failure))
        #expect(try await resolver.addresses(of: endpoint, limit: limit).map(\.description) == ["192.0.2.1:5432"])
        // A name without remembered addresses is not found.
        await #expect(throws: failure) {
            try await resolver.addresses(of: .tcp(host: "other.example", port: 5432), limit: limit)
        }
        server.set(.success(["192.0.2.2"]))
        #expect(try await resolver.addresses(of: endpoint, limit: limit).map(\.description) == ["192.0.2.2:5432"])
    }

    /// The name servers' answers for a name's IPv4 addresses if the first look-up returns only its IPv6 address.
    @Test(
        arguments: [
            (["192.0.2.2"], ["[2001:db8::1]:5432", "192.0.2.2:5432"]), ([], ["[2001:db8::1]:5432"]),
            (nil, ["[2001:db8::1]:5432", "192.0.2.1:5432"]),
        ] as [([String]?, [String])])
    func aFamilyThatIsMissingIsAskedForAndStaysWhileNobodyAnswers(answer: [String]?, places: [String]) async throws {
        let server = NameServer()
        let resolver = NameResolver(threads: threads) { name, family throws(PingFailure) in
            #expect(family == AF_INET)
            guard let answer else { throw PingFailure(.unresolved, "\(name): Temporary failure in name resolution") }
            return AddressList(literals: answer)
        } lookUp: { name throws(PingFailure) in
            try server.lookUp(name)
        }
        server.set(.success(["2001:db8::1", "192.0.2.1"]))
        let endpoint = Endpoint.tcp(host: "db.example", port: 5432)
        #expect(try await resolver.addresses(of: endpoint, limit: .seconds(60)).count == 2)
        server.set(.success(["2001:db8::1"]))
        #expect(try await resolver.addresses(of: endpoint, limit: .seconds(60)).map(\.description) == places)
    }

    @Test func whatAnotherProcessKnewHoldsUntilANameIsFound() async throws {
        let server = NameServer()
        let resolver = NameResolver(threads: threads) { name throws(PingFailure) in try server.lookUp(name) }
        server.set(.failure(PingFailure(.unresolved, "away")))
        let endpoint = Endpoint.tcp(host: "db.example", port: 5432)
        let known = try #require(AddressList(literal: "192.0.2.7")).withPort(3306)
        resolver.remember(known, of: endpoint)
        let place = try await resolver.resolution(of: endpoint, limit: .seconds(60))
        #expect(place.addresses.map(\.description) == ["192.0.2.7:5432"])
        #expect(place.isRemembered)
        server.set(.success(["192.0.2.1"]))
        #expect(
            try await resolver.addresses(of: endpoint, limit: .seconds(60)).map(\.description) == ["192.0.2.1:5432"])
        resolver.remember(known, of: endpoint)
        server.set(.failure(PingFailure(.unresolved, "away")))
        #expect(
            try await resolver.addresses(of: endpoint, limit: .seconds(60)).map(\.description) == ["192.0.2.1:5432"])
    }

    /// The library would look up the name itself and find no address.
    @Test func aNameThatIsOnlyRememberedIsNoDeathWhereTheLibraryHasToLookItUp() async throws {
        let resolver = NameResolver(threads: threads) { name throws(PingFailure) in
            throw PingFailure(.unresolved, "\(name): away")
        }
        let endpoint = Endpoint.tcp(host: "db.failover.invalid", port: 3306)
        resolver.remember(try #require(AddressList(literal: "127.0.0.1")).withPort(3306), of: endpoint)
        let server = DatabaseServer(engine: .mysql, endpoint: endpoint, user: "monitor", tls: .verifyFull)
        let check = ServerCheck(server: server, resolver: resolver, threads: threads)
        let failure = await #expect(throws: PingFailure.self) { try await check.ping(limit: .ample) }
        #expect(failure?.reason == .unresolved)
    }

    @Test func aSilentNameServerCostsASecondAndItsLateAnswerIsForTheNext() async throws {
        let (gate, calls) = (Gate(), Counter())
        let resolver = NameResolver(threads: threads) { name throws(PingFailure) in
            calls.increment()
            if calls.value == 1 { return AddressList(literals: ["192.0.2.1"]) }
            gate.wait()
            return AddressList(literals: ["192.0.2.2"])
        }
        let endpoint = Endpoint.tcp(host: "db.example", port: 5432)
        let limit = Duration.seconds(60)
        for _ in 0..<2 {
            let addresses = try await resolver.addresses(of: endpoint, limit: limit)
            #expect(addresses.map(\.description) == ["192.0.2.1:5432"])
        }
        gate.open()
        #expect(
            try await eventually {
                try await resolver.addresses(of: endpoint, limit: limit).map(\.description) == ["192.0.2.2:5432"]
            })
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
