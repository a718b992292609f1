import FailoverCore
import FailoverTesting

/// What a server can do to a ping in place of an answer.
enum Misbehaviour: CaseIterable {
    case silence, halfAnswer, trickle, garbage, endless, close, closeInTheMiddle, reset

    /// What a ping fails with, which nothing but its limit ends in some cases. That is one within which the machine comes as
    /// far as the stage.
    func failure(
        at stage: PingFailure.Stage, of ping: (_ limit: Duration) async -> PingFailure?
    ) async -> PingFailure? {
        switch self {
        case .silence, .halfAnswer, .trickle: await patiently(until: { $0?.reason == .timeout(stage) }, ping)
        case .garbage, .endless, .close, .closeInTheMiddle, .reset: await ping(.ample)
        }
    }

    /// What a ping shall make of it at a stage.
    func reason(at stage: PingFailure.Stage) -> PingFailure.Reason {
        switch self {
        case .silence, .halfAnswer, .trickle: .timeout(stage)
        case .garbage, .endless: .protocolViolation
        case .close, .closeInTheMiddle, .reset: .disconnected
        }
    }
}

extension FaultyServerConnection {
    /// Plays a misbehaviour until the client is gone.
    ///
    /// - Parameters:
    ///   - halfAnswer: the beginning of a good answer.
    ///   - endless: a piece of an answer that never ends.
    func misbehave(_ misbehaviour: Misbehaviour, halfAnswer: [UInt8], endless: [UInt8]? = nil) {
        switch misbehaviour {
        case .silence: holdOpen()
        case .halfAnswer:
            send(halfAnswer)
            holdOpen()
        case .trickle:
            // Never more than the half of it.
            let pause = Int32(200)
            dribble(halfAnswer, every: pause)
            holdOpen()
        case .garbage:
            send(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
            receiveToEnd()
        case .endless:
            let piece = endless ?? halfAnswer
            let pieces = (0..<(65536 / piece.count)).flatMap { _ in piece }
            while send(pieces) {}
        case .close: close()
        case .closeInTheMiddle: send(halfAnswer)
        case .reset: reset()
        }
    }
}
