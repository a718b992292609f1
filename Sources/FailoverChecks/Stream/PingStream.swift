import FailoverCore
import FailoverSystem

/// A connection to a server over TCP or TLS, within an attempt's deadline and a bound on what is read, whatever the
/// server does.
struct PingStream: ~Copyable {
    private let connection: TCPConnection
    private let tls: TLSSession?
    private let attempt: PingAttempt
    /// Counted on the wire.
    private var received = 0

    /// No server says more than a few KiB in a ping, its certificates included.
    private static let mostBytes = 64 << 10

    private init(_ connection: consuming TCPConnection, _ tls: TLSSession?, _ attempt: PingAttempt) {
        self.connection = connection
        self.tls = tls
        self.attempt = attempt
    }

    /// Connects without TLS.
    init(_ attempt: PingAttempt) throws(PingFailure) {
        self.init(try TCPConnection(attempt), nil, attempt)
    }

    /// Connects, with TLS if `tls` says so, to an endpoint whose host the certificate must be for.
    ///
    /// - Parameter authorities: path of a PEM file with the authorities to trust; `nil` is the system's.
    static func connect(
        _ attempt: PingAttempt, to endpoint: Endpoint, tls: Bool, authorities: String?
    ) throws(PingFailure) -> PingStream {
        guard tls else { return try PingStream(attempt) }
        guard case .tcp(let host, _) = endpoint else {
            throw attempt.failure(.local, "a Unix socket has no host name to verify a certificate for")
        }
        let session = try attempt.inTLS { () throws(TLSSession.Failure) in
            try TLSSession(host: host, authorities: authorities)
        }
        var stream = PingStream(try TCPConnection(attempt), session, attempt)
        attempt.reached(.login)
        try stream.shakeHands(session)
        return stream
    }

    private mutating func shakeHands(_ tls: TLSSession) throws(PingFailure) {
        while true {
            let outcome = Result { () throws(TLSSession.Failure) in try tls.handshake() }
            // Also of a failure: an alert tells the server why.
            try connection.send(tls.takeLeaving(), attempt)
            if try attempt.inTLS({ () throws(TLSSession.Failure) in try outcome.get() }) { return }
            tls.feed(try receiveFromWire())
        }
    }

    /// Sends all bytes.
    func send(_ bytes: [UInt8]) throws(PingFailure) {
        guard let tls else { return try connection.send(bytes, attempt) }
        try attempt.inTLS { () throws(TLSSession.Failure) in try tls.write(bytes) }
        try connection.send(tls.takeLeaving(), attempt)
    }

    /// Waits for bytes; never empty.
    ///
    /// - Throws: `.disconnected` at the end of the stream, `.protocolViolation` when it seems to have none.
    mutating func receive() throws(PingFailure) -> ArraySlice<UInt8> {
        guard let tls else { return try receiveFromWire() }
        while true {
            guard let bytes = try attempt.inTLS({ () throws(TLSSession.Failure) in try tls.read() }) else {
                throw attempt.failure(.disconnected, "closed the connection")
            }
            if !bytes.isEmpty { return bytes }
            try connection.send(tls.takeLeaving(), attempt)
            tls.feed(try receiveFromWire())
        }
    }

    private mutating func receiveFromWire() throws(PingFailure) -> ArraySlice<UInt8> {
        let bytes = try connection.receive(attempt)
        received += bytes.count
        guard received <= Self.mostBytes else {
            throw attempt.failure(.protocolViolation, "says more than \(Self.mostBytes >> 10) KiB to a ping")
        }
        return bytes
    }

    /// Says goodbye and closes.
    consuming func closeInOrder() {
        if let tls {
            tls.end()
            try? connection.send(tls.takeLeaving(), attempt)
        }
        connection.closeInOrder(before: attempt.deadline)
    }
}

extension PingAttempt {
    /// Tells a failure of TLS as the ping's.
    fileprivate func inTLS<Value>(_ body: () throws(TLSSession.Failure) -> Value) throws(PingFailure) -> Value {
        do { return try body() } catch { throw failure(error.reason, error.words) }
    }
}
