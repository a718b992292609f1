import FailoverCore
import FailoverTesting

/// What a server can do to a ping in place of an answer.
enum Misbehaviour: CaseIterable {
    case silence, halfAnswer, trickle, garbage, endless, close, closeInTheMiddle, reset

    /// A limit for the ping: waited for where nothing else ends it, out of reach where something does.
    var limit: Duration {
        switch self {
        case .silence, .halfAnswer, .trickle: .milliseconds(700)
        case .garbage, .endless, .close, .closeInTheMiddle, .reset: .seconds(200)
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
