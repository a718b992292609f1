package import FailoverCore

/// What a server can do instead of answering a ping.
package enum Misbehaviour: CaseIterable {
    case silence, halfAnswer, trickle, garbage, endless, close, closeInTheMiddle, reset

    /// The failure of a ping. In some cases only its time limit ends the ping. Then the limit is one within which the
    /// machine reaches the stage.
    package func failure(
        at stage: PingFailure.Stage, of ping: (_ limit: Duration) async -> PingFailure?
    ) async -> PingFailure? {
        switch self {
        case .silence, .halfAnswer, .trickle: await patiently(until: { $0?.reason == .timeout(stage) }, ping)
        case .garbage, .endless, .close, .closeInTheMiddle, .reset: await ping(.ample)
        }
    }

    /// The reason that a ping should report for it at a stage.
    package func reason(at stage: PingFailure.Stage) -> PingFailure.Reason {
        switch self {
        case .silence, .halfAnswer, .trickle: .timeout(stage)
        case .garbage, .endless: .protocolViolation
        case .close, .closeInTheMiddle, .reset: .disconnected
        }
    }
}

extension FaultyServerConnection {
    /// Plays a misbehaviour until the client disconnects.
    ///
    /// - Parameters:
    ///   - halfAnswer: the start of a correct answer.
    ///   - endless: a piece of an answer that never ends.
    package func misbehave(_ misbehaviour: Misbehaviour, halfAnswer: [UInt8], endless: [UInt8]? = nil) {
        switch misbehaviour {
        case .silence: holdOpen()
        case .halfAnswer:
            send(halfAnswer)
            holdOpen()
        case .trickle:
            // Never more than half of the answer.
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
