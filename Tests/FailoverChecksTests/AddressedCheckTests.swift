import FailoverCore
import FailoverSystem
import FailoverTesting
import Glibc
import Testing

@testable import FailoverChecks

@Suite("A ping as a whole")
struct AddressedCheckTests {
    /// A driver that does what a test says.
    struct ScriptedDriver: PingDriver {
        let script: @Sendable (PingAttempt) throws(PingFailure) -> Void
        func ping(_ attempt: PingAttempt) throws(PingFailure) { try script(attempt) }
    }

    let threads = BlockingThreads()

    func check(
        addresses: [String] = ["192.0.2.1"], _ script: @escaping @Sendable (PingAttempt) throws(PingFailure) -> Void
    ) -> AddressedCheck {
        let resolver = NameResolver(threads: threads) { _ throws(PingFailure) in AddressList(literals: addresses) }
        return AddressedCheck(
            endpoint: .tcp(host: "db.example", port: 3306), secret: nil, driver: ScriptedDriver(script: script),
            resolver: resolver, threads: threads)
    }

    func outcome(of check: AddressedCheck, limit: Duration) async -> PingFailure? {
        do {
            try await check.ping(limit: limit) { _ in }
            return nil
        } catch { return error }
    }

    /// The failure at a limit that the machine does not spend on what comes before that stage.
    private func timeout(
        of check: AddressedCheck, _ stage: PingFailure.Stage
    ) async -> (failure: PingFailure?, limit: String) {
        await patiently(.milliseconds(100)) { failure, _ in
            failure?.reason == .timeout(stage)
        } _: { limit in
            (await outcome(of: check, limit: limit), limit.text)
        }
    }

    @Test func libraryThatHangsIsLeftAtTheLimitAndNotCalledAgain() async {
        let gate = Gate()
        let calls = Counter()
        let check = check { _ throws(PingFailure) in
            calls.increment()
            gate.wait()
        }
        let first = await timeout(of: check, .connecting)
        #expect(
            first.failure == PingFailure(.timeout(.connecting), "db.example:3306 gave no answer within \(first.limit)"))
        #expect(await eventually { calls.value == 1 })
        #expect(await timeout(of: check, .hung).failure?.reason == .timeout(.hung))
        #expect(calls.value == 1)

        gate.open()
        #expect(await eventually { await outcome(of: check, limit: .ample) == nil })
    }

    @Test func onePingThatIsLateIsNoFailureOfTheNext() async {
        let gate = Gate()
        let calls = Counter()
        let check = check { _ throws(PingFailure) in
            calls.increment()
            gate.wait()
        }
        #expect(await timeout(of: check, .connecting).failure?.reason == .timeout(.connecting))
        #expect(await eventually { calls.value == 1 })

        let isUnderWay = Counter()
        let next = Task { try await check.ping(limit: .ample) { _ in isUnderWay.increment() } }
        #expect(await eventually { isUnderWay.value == 1 })
        gate.open()
        await #expect(throws: Never.self) { try await next.value }
        #expect(calls.value == 2)
    }

    @Test func timeoutNamesTheStageThatWasReached() async {
        let gate = Gate()
        let check = check { attempt throws(PingFailure) in
            attempt.reached(.query)
            gate.wait()
        }
        #expect(await timeout(of: check, .query).failure?.reason == .timeout(.query))
        gate.open()
    }

    @Test(arguments: [PingFailure.Reason.authentication, .userLimit, .tls, .query, .unanswered, .wrongRole])
    func verdictOfAServerIsNotAskedForAgain(reason: PingFailure.Reason) async {
        let calls = Counter()
        let check = check(addresses: ["192.0.2.1", "192.0.2.2"]) { attempt throws(PingFailure) in
            calls.increment()
            throw attempt.failure(reason, "no")
        }
        #expect(await outcome(of: check, limit: .ample)?.reason == reason)
        #expect(calls.value == 1)
    }

    /// The account for one family of addresses is missing, and the server has the wrong role.
    @Test(arguments: [PingFailure.Reason.hostBlocked, .tooManyConnections, .local])
    func whatAServerSaysThatLetThePingInCountsAtOnce(first: PingFailure.Reason) async {
        let check = check(addresses: ["192.0.2.1", "192.0.2.2", "192.0.2.3"]) { attempt throws(PingFailure) in
            switch attempt.address.description {
            case "192.0.2.1:3306": throw attempt.failure(first, "no")
            case "192.0.2.2:3306": throw attempt.failure(.wrongRole, "is a primary")
            default: Issue.record("asked again")
            }
        }
        #expect(await outcome(of: check, limit: .ample)?.reason == .wrongRole)
    }

    @Test func whatAnAddressSaidIsNotLostWithADriverThatDoesNotComeBack() async {
        let gate = Gate()
        let check = check(addresses: ["192.0.2.1", "192.0.2.2"]) { attempt throws(PingFailure) in
            if attempt.address.description == "192.0.2.1:3306" { throw attempt.failure(.tooManyConnections, "full") }
            gate.wait()
        }
        let failure = await patiently(.milliseconds(100)) { (failure: PingFailure?) in
            failure?.reason == .tooManyConnections
        } _: { limit in
            let failure = await outcome(of: check, limit: limit)
            return failure?.reason == .timeout(.hung) ? nil : failure
        }
        #expect(failure?.reason == .tooManyConnections)
        gate.open()
    }

    /// ICMP of a firewall, ours or another's; of a path it would be about permissions.
    @Test(arguments: [EACCES, EPERM])
    func aFirewallIsNoLackOfOurs(error: Int32) async {
        let check = check { attempt throws(PingFailure) in throw attempt.failure(SystemError(error)) }
        #expect(await outcome(of: check, limit: .ample)?.reason == .unreachable)
        let path = AddressedCheck(
            endpoint: .unix(path: "/run/db.sock"), secret: nil,
            driver: ScriptedDriver { attempt throws(PingFailure) in throw attempt.failure(SystemError(error)) },
            resolver: NameResolver(threads: threads), threads: threads)
        #expect(await outcome(of: path, limit: .ample)?.reason == .local)
    }

    /// Whoever comes first: one that refuses lives; one that speaks of its state knows it; one that could not be asked may live;
    /// one that is unreachable says least.
    @Test(arguments: [
        (PingFailure.Reason.startingUp, PingFailure.Reason.unreachable), (.tooManyConnections, .refused),
        (.startingUp, .local), (.hostBlocked, .shuttingDown),
        (.hostBlocked, .timeout(.connecting)), (.local, .refused), (.tooManyConnections, .local),
        (.local, .unreachable),
    ])
    func ofAddressesThatFailTheOneCountsThatSaysMost(more: PingFailure.Reason, less: PingFailure.Reason) async {
        for reasons in [[more, less], [less, more]] {
            let check = check(addresses: ["192.0.2.1", "192.0.2.2"]) { attempt throws(PingFailure) in
                throw attempt.failure(reasons[attempt.address.description == "192.0.2.1:3306" ? 0 : 1], "no")
            }
            #expect(await outcome(of: check, limit: .ample)?.reason == more)
        }
    }

    @Test func anAddressThatThisMachineHasNoWayToIsNotAsked() async throws {
        // IPv6 in a documentation network: nobody has a route to it but by a default route.
        let far = try #require(AddressList(literal: "2001:db8::1")?.withPort(3306).first)
        let near = try #require(AddressList(literal: "127.0.0.1")?.withPort(3306).first)
        #expect(near.hasWay)
        guard !far.hasWay else { return }
        let check = check(addresses: ["2001:db8::1", "127.0.0.1"]) { attempt throws(PingFailure) in
            throw attempt.failure(attempt.address == near ? .refused : .local, "no")
        }
        #expect(
            await outcome(of: check, limit: .ample)
                == PingFailure(.refused, "db.example:3306 (127.0.0.1:3306): no"))
        // Unless there is no other.
        let alone = self.check(addresses: ["2001:db8::1"]) { attempt throws(PingFailure) in
            throw attempt.failure(.unreachable, "no route")
        }
        #expect(await outcome(of: alone, limit: .ample)?.reason == .unreachable)
    }

    @Test func aUnixSocketWhoseQueueIsFullIsTriedUntilThereIsRoomOrNoTime() async {
        let calls = Counter()
        let check = AddressedCheck(
            endpoint: .unix(path: "/run/db.sock"), secret: nil,
            driver: ScriptedDriver { attempt throws(PingFailure) in
                calls.increment()
                if calls.value % 3 != 0 { throw attempt.failure(SystemError(EAGAIN)) }
            }, resolver: NameResolver(threads: threads), threads: threads)
        #expect(await outcome(of: check, limit: .ample) == nil)
        #expect(calls.value == 3)
        let stopped = AddressedCheck(
            endpoint: .unix(path: "/run/db.sock"), secret: nil,
            driver: ScriptedDriver { attempt throws(PingFailure) in throw attempt.failure(SystemError(EAGAIN)) },
            resolver: NameResolver(threads: threads), threads: threads)
        #expect(await timeout(of: stopped, .connecting).failure?.reason == .timeout(.connecting))
    }

    /// What a ping reports.
    private func reports(_ check: AddressedCheck) async -> [FoundAddresses] {
        let reports = Lock<[FoundAddresses]>([])
        try? await check.ping(limit: .seconds(60)) { found in reports.withLock { $0.append(found) } }
        return reports.withLock { $0 }
    }

    @Test func anOrderIsTestedWhenAServerHasAnswered() async {
        let check = check(addresses: ["192.0.2.1", "192.0.2.2"]) { attempt throws(PingFailure) in
            if attempt.address.description == "192.0.2.1:3306" { throw attempt.failure(.refused, "no") }
        }
        let reports = await reports(check)
        #expect(
            reports.map { $0.addresses.map(\.description) }
                == [["192.0.2.1:3306", "192.0.2.2:3306"], ["192.0.2.2:3306", "192.0.2.1:3306"]])
        #expect(reports.map(\.isTested) == [false, true])
    }

    @Test func whoRefusesInWordsIsThere() async {
        let check = check(addresses: ["192.0.2.1", "192.0.2.2"]) { attempt throws(PingFailure) in
            let isFirst = attempt.address.description == "192.0.2.1:3306"
            throw attempt.failure(isFirst ? .timeout(.connecting) : .tooManyConnections, "no")
        }
        let reports = await reports(check)
        #expect(reports.map(\.isTested) == [false, true])
        #expect(reports.last?.addresses.first?.description == "192.0.2.2:3306")
    }

    @Test func whereNobodyAnswersNothingIsTested() async {
        let check = check(addresses: ["192.0.2.1", "192.0.2.2"]) { attempt throws(PingFailure) in
            throw attempt.failure(.refused, "no")
        }
        #expect(await reports(check).map(\.isTested) == [false])
    }

    @Test func whatIsNotTestedReplacesOnlyANameThatIsNewOrHasMoved() {
        let (a, b) = (SocketAddress(bytes: [1], description: "a"), SocketAddress(bytes: [2], description: "b"))
        let (found, tested) = (FoundAddresses([a, b], isTested: false), FoundAddresses([a, b], isTested: true))
        #expect(found.replace([]))
        #expect(found.replace([SocketAddress(bytes: [3], description: "c")]))
        #expect(!found.replace([b]))
        #expect(!found.replace([b, a]))
        #expect(tested.replace([b, a]))
    }

    @Test func eachAddressHasAShareOfTheTime() async {
        let check = check(addresses: ["192.0.2.1", "192.0.2.2"]) { attempt throws(PingFailure) in
            let isFirst = attempt.address.description == "192.0.2.1:3306"
            if attempt.deadline.remaining > .seconds(isFirst ? 1800 : 3600) {
                throw attempt.failure(.other, "too long")
            }
            if isFirst { throw attempt.failure(.refused, "no") }
            if attempt.deadline.remaining < .seconds(1801) { throw attempt.failure(.other, "too short") }
        }
        #expect(await outcome(of: check, limit: .seconds(3600)) == nil)
    }
}

@Suite("Threads that may block")
struct BlockingThreadsTests {
    let threads = BlockingThreads()

    @Test func hungCallHoldsUpNoOther() async throws {
        let gate = Gate()
        async let hung = threads.run { () throws(PingFailure) -> Int in
            gate.wait()
            return 1
        }
        for number in 2...50 {
            #expect(try await threads.run { () throws(PingFailure) in number } == number)
        }
        gate.open()
        #expect(try await hung == 1)
    }

    @Test func manyCallsAtOnceAllReturn() async throws {
        let sum = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 1...500 { group.addTask { try await threads.run { () throws(PingFailure) in number } } }
            return try await group.reduce(0, +)
        }
        #expect(sum == 125_250)
    }

    @Test func threadsThatEndWhileCallsComeLoseNone() async throws {
        // No idle time at all: each thread is about to end whenever the next call comes.
        let threads = BlockingThreads(idleTime: .zero)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 1...8 {
                group.addTask {
                    for number in 1...500 {
                        let result = try await threads.run { () throws(PingFailure) in number }
                        #expect(result == number)
                    }
                }
            }
            try await group.waitForAll()
        }
        // And the count of idle threads is right: none of these waits for another.
        let gate = Gate()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 1...20 { group.addTask { try await threads.run { () throws(PingFailure) in gate.wait() } } }
            try await threads.run { () throws(PingFailure) in }
            gate.open()
            try await group.waitForAll()
        }
    }

    @Test func failureReachesTheCaller() async {
        await #expect(throws: PingFailure(.query, "no")) {
            try await threads.run { () throws(PingFailure) -> Void in throw PingFailure(.query, "no") }
        }
    }

    @Test func cancelledCallerDoesNotWait() async {
        let gate = Gate()
        let task = Task {
            try await threads.run { () throws(PingFailure) in gate.wait() }
        }
        task.cancel()
        let result = await task.result
        #expect(throws: PingFailure.self) { try result.get() }
        gate.open()
    }
}
