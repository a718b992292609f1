import FailoverCore
import FailoverSystem
import FailoverTesting

@testable import FailoverProxy

extension FuzzTarget {
    /// The search for a backend, for all engines: messages of client and servers in any order, with losses, silence
    /// and refusals.
    static let handshakes = FuzzTarget("handshakes") { input in
        var player = HandshakePlayer(&input)
        while !input.isEmpty, player.violation == nil { player.play(&input) }
        return player.violation
    }
}

/// A session before it is served, without sockets. It delivers only events that a session can deliver.
private struct HandshakePlayer {
    private enum Backend {
        case none
        case dialing
        case connected
    }

    private var machine: SessionStateMachine
    private var backend = Backend.none
    private var now: UInt64
    private var isOver = false
    private var dials = 0
    private var mostDials: Int
    /// How often it waited for a connection slot.
    private var waits = 0
    /// TLS that ends at the proxy: what is asked of clients and servers, and where it stands.
    private let termination: ClientEncryption?
    private let encryption: ServerEncryption?
    private let isPostgres: Bool
    private var securing: Side?
    private var secured: [Side] = []
    private(set) var violation: String?

    init(_ input: inout FuzzInput) {
        let kind = input.byte()
        termination = [nil, .offered, .required, nil][Int(kind >> 4 & 3)]
        encryption = [nil, .preferred, .required, nil][Int(kind >> 6)]
        isPostgres = kind % 4 > 1
        let handshake: Handshake =
            switch kind % 4 {
            case 0: .mysql(MySQLHandshake())
            case 1: .tcp
            default: .postgres(PostgresHandshake(termination: termination))
            }
        let candidates = Self.candidates(&input)
        let limits = SessionStateMachine.Limits(
            connect: input.duration().nanoseconds, greeting: input.duration().nanoseconds,
            clientStartup: input.duration().nanoseconds, refusal: 1)
        let readOnly = input.byte()
        machine = SessionStateMachine(
            handshake: handshake, candidates: candidates, limits: limits,
            readOnlyGuard: readOnly & 1 == 0
                ? nil : ReadOnlyGuard(aliases: [1, 2], opaque: readOnly & 2 == 0 ? .allow : .refuse))
        // One connection per address, and again each time the client is asked for something.
        mostDials = Self.mostDials(candidates)
        now = input.duration().nanoseconds
        if input.byte() % 8 == 7 {
            perform(machine.startRefused(Self.refusal(&input), now: now), &input)
        } else {
            perform(machine.start(now: now), &input)
        }
    }

    mutating func play(_ input: inout FuzzInput) {
        let event = input.byte()
        if let side = securing {
            if event % 9 == 8 { return complete(side, &input) }
            // The handshake reads what its side sends.
            if (side == .client ? [0, 1] : [2, 3]).contains(event % 9) { return }
        }
        switch event % 9 {
        case 0, 1:
            let bytes = input.bytes()
            guard !isOver, machine.readsClient, !bytes.isEmpty else { return }
            perform(machine.clientSent(bytes, now: now), &input)
        case 2, 3:
            let bytes = input.bytes()
            guard !isOver, backend == .connected, !bytes.isEmpty else { return }
            perform(machine.backendSent(bytes, now: now), &input)
        case 4:
            guard !isOver, backend == .dialing else { return }
            backend = .connected
            perform(machine.connected(encryption: encryption, now: now), &input)
        case 5:
            let failure = Self.failure(&input)
            guard !isOver, backend != .none else { return }
            loseBackend()
            perform(machine.failed(failure, now: now), &input)
        case 6:
            guard !isOver else { return }
            let action = machine.deadlinePassed(now: now)
            // A server that has let the client in serves it, if slowly.
            if !machine.isRelaying { loseBackend() }
            perform(action, &input)
        case 7: now &+= UInt64(input.number(UInt32.self))
        default:
            let candidates = Self.candidates(&input)
            guard !isOver, backend == .none, machine.hasTriedNobody else { return }
            mostDials += Self.mostDials(candidates)
            machine.choose(candidates)
        }
        _ = (machine.takeReports(), machine.alias, machine.overflowed, machine.isInClear, machine.isUnguarded)
    }

    private mutating func loseBackend() {
        backend = .none
        secured.removeAll { $0 == .backend }
        if securing == .backend { securing = nil }
    }

    private mutating func complete(_ side: Side, _ input: inout FuzzInput) {
        securing = nil
        guard !isOver else { return }
        secured.append(side)
        perform(machine.secured(side, now: now), &input)
    }

    private mutating func perform(_ action: SessionStateMachine.Action, _ input: inout FuzzInput) {
        switch action {
        case .dial:
            backend = .dialing
            dials += 1
            if dials > mostDials { violation = "it dials for ever" }
            if !machine.isDialing { violation = "it dials and does not know it" }
        case .ask:
            if backend != .connected { violation = "it asks a server that is not connected" }
        case .relay:
            isOver = true
            if backend != .connected || !machine.isRelaying { violation = "it relays what nobody serves" }
            // MySQL's TLS begins within the relay.
            guard isPostgres, termination != nil else { return }
            if termination == .required, !secured.contains(.client) { violation = "it relays a client in clear text" }
            if encryption == .required, !secured.contains(.backend) {
                violation = "it relays to a server in clear text"
            }
        case .secureClient: secure(.client)
        case .secureServer: secure(.backend)
        case .refuse where waits < 3 && input.flag():
            waits += 1
            let candidates = Self.candidates(&input)
            mostDials += Self.mostDials(candidates)
            perform(machine.placeFound(onAlias: Int(input.byte() % 4), candidates, now: now), &input)
        case .refuse:
            let next = machine.refused(Self.refusal(&input), now: now)
            if case .refuse = next { violation = "it refuses for ever" } else { perform(next, &input) }
        case .cancel, .closingMessage, .leave: isOver = true
        default: break
        }
    }

    private mutating func secure(_ side: Side) {
        if secured.contains(side) || securing != nil { violation = "it begins TLS twice" }
        securing = side
    }

    private static func candidates(_ input: inout FuzzInput) -> [RouteTable.Candidate] {
        (0..<Int(input.byte() % 4)).map { alias in
            let addresses = (0..<Int(input.byte() % 4)).compactMap { number in
                SocketAddress(ip: [127, 0, UInt8(alias), UInt8(number)], port: 1)
            }
            return RouteTable.Candidate(alias: alias, addresses: addresses)
        }
    }

    private static func mostDials(_ candidates: [RouteTable.Candidate]) -> Int {
        4 * (1 + candidates.reduce(0) { $0 + $1.addresses.count })
    }

    private static func refusal(_ input: inout FuzzInput) -> Refusal {
        let kinds: [Refusal.Kind] = [.nothingUp, .limit, .closed, .unguarded]
        return Refusal(kind: kinds[Int(input.byte() % 4)], message: input.text())
    }

    private static func failure(_ input: inout FuzzInput) -> DialFailure {
        switch input.byte() % 6 {
        case 0: .closed
        case 1: .timeout
        case 2: .full
        case 3: .down
        case 4: .silent
        default: .system(input.number(Int32.self))
        }
    }
}
