import COpenSSL
import FailoverCore
import FailoverSystem

/// Why TLS cannot begin, or has ended.
package struct TLSFailure: Error, Hashable, Sendable {
    /// Whose fault it is.
    package enum Cause: Hashable, Sendable {
        /// This machine lacks something: a readable file, memory.
        case local
        /// The certificate of the peer is not accepted, or is missing.
        case certificate
        /// The peer does not speak TLS as expected, or does not accept what it was sent.
        case peer
        /// The connection was lost.
        case connection
    }

    package let cause: Cause
    /// One line, without the address of the peer: `certificate not accepted: self-signed certificate`.
    package let message: String

    package init(_ cause: Cause, _ message: String) {
        self.cause = cause
        self.message = message
    }

    /// A failure of OpenSSL on this machine. It takes this thread's errors.
    static func local(_ place: String? = nil) -> TLSFailure {
        let reason = takeReason() ?? "OpenSSL has no memory"
        return TLSFailure(.local, place.map { "\($0): \(reason)" } ?? reason)
    }

    /// OpenSSL's text for the first error of this thread; `nil` if there is none. All errors of the thread are cleared.
    static func takeReason() -> String? {
        failover_ssl_error().map { String(cString: $0).asOneLine() }
    }
}

extension TLSFailure: CustomStringConvertible {
    package var description: String { message }
}

extension TLSVersion {
    var number: Int32 { self == .v12 ? TLS1_2_VERSION : TLS1_3_VERSION }
}

/// The result of a transfer. It has no text and no object, because each message of a session returns one.
package enum TLSTransfer: Hashable, Sendable {
    case bytes(Int)
    /// Nothing can be done before the socket is ready for this.
    case wouldBlock(until: TLSReadiness)
    /// There is more to do, and no event will announce it. Other sessions should have a turn first.
    case paused
    /// The peer has ended its sending direction with a closure alert.
    case ended
    /// The peer has closed its sending direction without a closure alert. Bytes may be missing.
    case truncated
    /// `errno`. It is `EPROTO` if the peer violates TLS or has sent an alert; then ``TLSChannel/failure`` has the text.
    case failed(Int32)
}

/// What a session waits for: reading may need a writable socket, and writing a readable one.
package enum TLSReadiness: Hashable, Sendable {
    case readable
    case writable
}
