import FailoverCore
import FailoverSystem
import FailoverTesting
import Glibc
import Testing

@testable import FailoverChecks

@Suite("A ping as a whole")
struct AddressedCheckTests {
    /// A driver that a test scripts.
    struct ScriptedDriver: PingDriver {
        let script: @Sendable (PingAttempt) throws(PingFailure) -> Void
        func ping(_ attempt: PingAttempt) throws(PingFailure) -> ServerAnswer {
            try script(attempt)
            return ServerAnswer()
        }
    }

    let threads = BlockingThreads()

    func check(
        addresses: [String] = ["192.0.2.1"], lookUps: Counter = Counter(),
        _ script: @escaping @Sendable (PingAttempt) throws(PingFailure) -> Void
    ) -> AddressedCheck {
        let resolver = NameResolver(threads: threads) { _ throws(PingFailure) in
            lookUps.increment()
            return AddressList(literals: addresses)
        }
        return AddressedCheck(
            endpoint: .tcp(host: "db.example", port: 3306), secret: nil,
            driver: .blocking(ScriptedDriver(script: script)),
            resolver: resolver, threads: threads)
    }

    func outcome(of check: AddressedCheck, limit: Duration) async -> PingFailure? {
        await check.answer(PingRequest(limit: limit)).failure
    }

    /// The failure at a time limit that is long enough for the machine to reach the stage.
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
        let lookUps = Counter()
        let check = check(lookUps: lookUps) { _ throws(PingFailure) in
            calls.increment()
            gate.wait()
        }
        #expect(await timeout(of: check, .connecting).failure?.reason == .timeout(.connecting))
        #expect(await eventually { calls.value == 1 })

        let before = lookUps.value
        let next = Task { await outcome(of: check, limit: .ample) }
        #expect(await eventually { lookUps.value == before + 1 })
        gate.open()
        #expect(await next.value == nil)
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

    /// The account for one address family is missing, and the server has the wrong role.
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

    /// ICMP of a local or remote firewall. For a path it would be a matter of permissions.
    @Test(arguments: [EACCES, EPERM])
    func aFirewallIsNoLackOfOurs(error: Int32) async {
        let check = check { attempt throws(PingFailure) in throw attempt.failure(SystemError(error)) }
        #expect(await outcome(of: check, limit: .ample)?.reason == .unreachable)
        let path = AddressedCheck(
            endpoint: .unix(path: "/run/db.sock"), secret: nil,
            driver: .blocking(
                ScriptedDriver { attempt throws(PingFailure) in throw attempt.failure(SystemError(error)) }),
            resolver: NameResolver(threads: threads), threads: threads)
        #expect(await outcome(of: path, limit: .ample)?.reason == .local)
    }

    /// In any order: a server that refuses is alive, one that reports its state knows it, one that could not be asked
    /// may be alive, and an unreachable one says least.
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
        // An IPv6 address in a documentation network: no machine has a route to it except a default route.
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
        // Unless there is no other address.
        let alone = self.check(addresses: ["2001:db8::1"]) { attempt throws(PingFailure) in
            throw attempt.failure(.unreachable, "no route")
        }
        #expect(await outcome(of: alone, limit: .ample)?.reason == .unreachable)
    }

    @Test func aUnixSocketWhoseQueueIsFullIsTriedUntilThereIsRoomOrNoTime() async {
        let calls = Counter()
        let check = AddressedCheck(
            endpoint: .unix(path: "/run/db.sock"), secret: nil,
            driver: .blocking(
                ScriptedDriver { attempt throws(PingFailure) in
                    calls.increment()
                    if calls.value % 3 != 0 { throw attempt.failure(SystemError(EAGAIN)) }
                }), resolver: NameResolver(threads: threads), threads: threads)
        #expect(await outcome(of: check, limit: .ample) == nil)
        #expect(calls.value == 3)
        let stopped = AddressedCheck(
            endpoint: .unix(path: "/run/db.sock"), secret: nil,
            driver: .blocking(
                ScriptedDriver { attempt throws(PingFailure) in throw attempt.failure(SystemError(EAGAIN)) }),
            resolver: NameResolver(threads: threads), threads: threads)
        #expect(await timeout(of: stopped, .connecting).failure?.reason == .timeout(.connecting))
    }

    /// The location at which a ping has found the server.
    private func place(_ check: AddressedCheck) async -> ServerLocation? {
        await check.answer(PingRequest(limit: .seconds(60))).place
    }

    @Test func anOrderIsTestedWhenAServerHasAnswered() async {
        let check = check(addresses: ["192.0.2.1", "192.0.2.2"]) { attempt throws(PingFailure) in
            if attempt.address.description == "192.0.2.1:3306" { throw attempt.failure(.refused, "no") }
        }
        let place = await place(check)
        #expect(place?.addresses.map(\.description) == ["192.0.2.2:3306", "192.0.2.1:3306"])
        #expect(place?.isTested == true)
    }

    @Test func whoRefusesInWordsIsThere() async {
        let check = check(addresses: ["192.0.2.1", "192.0.2.2"]) { attempt throws(PingFailure) in
            let isFirst = attempt.address.description == "192.0.2.1:3306"
            throw attempt.failure(isFirst ? .timeout(.connecting) : .tooManyConnections, "no")
        }
        let place = await place(check)
        #expect(place?.isTested == true)
        #expect(place?.addresses.first?.description == "192.0.2.2:3306")
    }

    @Test func whereNobodyAnswersNothingIsTested() async {
        let check = check(addresses: ["192.0.2.1", "192.0.2.2"]) { attempt throws(PingFailure) in
            throw attempt.failure(.refused, "no")
        }
        let place = await place(check)
        #expect(place?.isTested == false)
        #expect(place?.addresses.map(\.description) == ["192.0.2.1:3306", "192.0.2.2:3306"])
    }

    @Test func whatIsNotTestedReplacesOnlyANameThatIsNewOrHasMoved() {
        let (a, b) = (SocketAddress(bytes: [1], description: "a"), SocketAddress(bytes: [2], description: "b"))
        let (found, tested) = (ServerLocation([a, b], isTested: false), ServerLocation([a, b], isTested: true))
        func known(_ addresses: [SocketAddress]) -> ServerLocation { ServerLocation(addresses, isTested: true) }
        #expect(found.replaces(nil))
        #expect(found.replaces(known([SocketAddress(bytes: [3], description: "c")])))
        #expect(!found.replaces(known([b])))
        #expect(!found.replaces(known([b, a])))
        #expect(tested.replaces(known([b, a])))
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
        // No idle time: each thread is about to end when the next call comes.
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
        // The count of idle threads is also right: none of these calls waits for another.
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
