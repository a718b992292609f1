import FailoverTesting

@testable import FailoverProxy

extension FuzzTarget {
    /// A login that the proxy tracks, and the end of the connection in the middle of it.
    static let mysqlLogin = FuzzTarget("mysql-login") { input in
        let sayings = sayings(&input)
        let (whole, single) = (MySQLLoginPlayer(sayings), MySQLLoginPlayer(sayings.flatMap(\.inSingleBytes)))
        if whole.passed != single.passed || whole.login.stage != single.login.stage {
            return "in single bytes it passes \(single.passed) and not \(whole.passed)"
        }
        guard whole.sent.starts(with: whole.passed) else { return "it passes what the client did not say" }
        if whole.login.isOver, whole.passed != whole.sent { return "it keeps what the client said" }
        guard var refused = whole.login.refusedLogin else { return nil }
        var answers = 0
        for piece in input.pieces() {
            switch piece.withUnsafeBytes({ refused.serverSent($0) }) {
            case .wait: continue
            case .leave: return nil
            case .send: answers += 1
            }
            if answers > 100 { return "it talks for ever" }
        }
        return nil
    }

    /// A login whose TLS ends at the proxy. Nothing passes to the server in clear text.
    static let mysqlTermination = FuzzTarget("mysql-termination") { input in
        let kind = input.byte()
        var login = MySQLLogin()
        login.termination = MySQLTermination(isRequired: kind & 1 != 0, serverIsRequired: kind & 2 != 0)
        var (steps, isServerSecured): ([MySQLTermination.Step], Bool) = ([], false)
        for saying in sayings(&input) where !login.isOver {
            if saying.side == .backend {
                saying.bytes.withUnsafeBytes { login.serverSent($0) }
                if login.isViolated { return nil }
                continue
            }
            let passed = saying.bytes.withUnsafeBytes { login.clientSent($0) }
            let mustWait = kind & 3 != 0 || steps.contains(.secureClient)
            if mustWait, !isServerSecured, !login.isOver, !passed.isEmpty { return "it passes a login in clear text" }
            guard let step = login.termination?.takeStep() else { continue }
            steps.append(step)
            switch step {
            case .secureClient: _ = login.release()
            case .secureServer:
                isServerSecured = true
                login.termination?.serverIsSecured()
            case .refuse: return nil
            }
        }
        return Set(steps.map { "\($0)" }).count == steps.count ? nil : "it begins TLS twice: \(steps)"
    }

    /// A read-only guard by statement.
    static let postgresGuard = FuzzTarget("postgres-guard") { input in
        let sayings = sayings(&input)
        let (whole, single) = (PostgresGuardPlayer(sayings), PostgresGuardPlayer(sayings.flatMap(\.inSingleBytes)))
        if whole.outcome != single.outcome { return "in single bytes \(single.outcome), otherwise \(whole.outcome)" }
        guard whole.sent.starts(with: whole.outcome.toServer) else { return "the server is told what nobody said" }
        if whole.state.phase == .following, whole.outcome.refusal == nil, whole.outcome.toServer != whole.sent {
            return "it keeps what the client said"
        }
        return nil
    }

    private static func sayings(_ input: inout FuzzInput) -> [Saying] {
        var sayings: [Saying] = []
        let count = input.byte() % 32
        for _ in 0..<count where !input.isEmpty {
            sayings.append(Saying(side: input.flag() ? .client : .backend, bytes: input.bytes()))
        }
        return sayings
    }
}

/// What one side sends at a time.
private struct Saying {
    var side: Side
    var bytes: [UInt8]

    var inSingleBytes: [Saying] { bytes.map { Saying(side: side, bytes: [$0]) } }
}

private struct MySQLLoginPlayer {
    var login = MySQLLogin()
    var sent: [UInt8] = []
    var passed: [UInt8] = []

    init(_ sayings: [Saying]) {
        for saying in sayings {
            if saying.side == .client { sent += saying.bytes }
            if login.isOver {
                if saying.side == .client { passed += saying.bytes }
                continue
            }
            saying.bytes.withUnsafeBytes { bytes in
                if saying.side == .backend { login.serverSent(bytes) } else { passed += login.clientSent(bytes) }
            }
            if login.isOver { passed += login.release() }
            _ = login.refusedLogin
        }
    }
}

private struct PostgresGuardPlayer {
    struct Outcome: Equatable {
        /// Without the guard's own statement.
        var toServer: [UInt8] = []
        var toClient: [UInt8] = []
        var refusal: String?
    }

    var state = PostgresGuard()
    var sent: [UInt8] = []
    var outcome = Outcome()

    init(_ sayings: [Saying]) {
        for saying in sayings where outcome.refusal == nil {
            let wasLogin = state.phase == .login
            var passage: PostgresGuard.GuardOutput
            if saying.side == .client {
                sent += saying.bytes
                passage = state.clientSent(saying.bytes)
            } else {
                passage = state.serverSent(saying.bytes)
            }
            if wasLogin, state.phase != .login { passage.toServer.removeFirst(PostgresGuard.query.count) }
            outcome.toServer += passage.toServer
            outcome.toClient += passage.toClient
            outcome.refusal = passage.refusal
        }
    }
}
