// The fuzzer builds this file too.

@testable import FailoverProxy

/// A guarded session that plays events, and what the guard passes on.
struct GuardedPlayer {
    private(set) var state: MySQLGuard
    private(set) var toServer: [UInt8] = []
    private(set) var toClient: [UInt8] = []
    private(set) var refusal: MySQLGuard.Refusal?

    init(_ state: MySQLGuard) { self.state = state }

    private mutating func collect(
        _ passage: MySQLGuard.GuardOutput, _ bytes: UnsafeRawBufferPointer, isServers: Bool
    ) {
        sawSilence()
        guard refusal == nil else { return }
        toServer += passage.toServer
        toClient += passage.toClient
        if passage.asItIs, isServers { toClient += bytes }
        if passage.asItIs, !isServers { toServer += bytes }
        refusal = passage.refusal
    }

    /// The server may close or exceed the time limit at any moment.
    private func sawSilence() {
        var silent = state
        let passage = silent.serverIsSilent("silent")
        precondition((passage != nil) == (state.phase == .setting) && silent.serverIsSilent("again") == nil)
        precondition(passage == nil || silent.phase == .over && silent.heldBytes == 0)
    }
}

extension GuardedPlayer: SessionReader {
    init() { self.init(MySQLGuard(refusesOpaque: false)) }

    mutating func serverSent(_ bytes: UnsafeRawBufferPointer) {
        collect(state.serverSent(bytes), bytes, isServers: true)
    }

    mutating func clientSent(_ bytes: UnsafeRawBufferPointer) {
        collect(state.clientSent(bytes), bytes, isServers: false)
    }

    var isReadable: Bool { state.phase != .over }
    var isAtBoundary: Bool { state.isAtBoundary }
    var heldBytes: Int { state.heldBytes }
    /// The client's waiting bytes, which a session stops reading at some point, and a held answer.
    static let memoryLimit = MySQLReader.memoryLimit + 4 * MySQLGuard.answerLimit

    var outcome: [Int] {
        [isReadable ? 1 : 0, isAtBoundary ? 1 : 0, state.wantsClient ? 1 : 0, refusal == nil ? 0 : 1]
            + [toServer, toClient].flatMap { [$0.count, $0.hashValue] }
    }
}
