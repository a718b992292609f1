import FailoverCore
import FailoverSystem

/// A connection to a server over TCP or TLS. The deadline of the attempt and a limit of received bytes hold for any
/// server.
struct PingStream: ~Copyable {
    private let connection: TCPConnection
    private let tls: TLSSession?
    private let attempt: PingAttempt
    /// The number of bytes received so far, including those of TLS.
    private var received = 0

    /// The maximum number of bytes that a ping receives. Real servers send a few KiB, including certificates.
    private static let mostBytes = 64 << 10

    private init(_ connection: consuming TCPConnection, _ tls: TLSSession?, _ attempt: PingAttempt) {
        self.connection = connection
        self.tls = tls
        self.attempt = attempt
    }

    /// Connects without TLS.
    init(_ attempt: PingAttempt) throws(PingFailure) {
        self.init(try TCPConnection.connected(attempt), nil, attempt)
    }

    /// Connects to an endpoint, with TLS if `tls` requires it. The certificate must be for the endpoint's host.
    ///
    /// - Parameter authorities: the path of a PEM file with the trusted authorities; `nil` for the system's.
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
        var stream = PingStream(try TCPConnection.connected(attempt), session, attempt)
        attempt.reached(.login)
        try stream.shakeHands(session)
        return stream
    }

    private mutating func shakeHands(_ tls: TLSSession) throws(PingFailure) {
        while true {
            let outcome = Result { () throws(TLSSession.Failure) in try tls.handshake() }
            // This is also done after a failure, because the bytes may be an alert with the reason.
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

    /// Waits for bytes. The result is never empty.
    ///
    /// - Throws: `.disconnected` at the end of the stream, `.protocolViolation` if the limit of received bytes is
    ///   exceeded.
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
            throw attempt.failure(.protocolViolation, "sent more than \(Self.mostBytes >> 10) KiB to a ping")
        }
        return bytes
    }

    /// Ends the TLS session and closes the connection properly.
    consuming func closeInOrder() {
        if let tls {
            tls.end()
            try? connection.send(tls.takeLeaving(), attempt)
        }
        connection.closeInOrder(before: attempt.deadline)
    }
}

extension PingAttempt {
    /// Converts a TLS failure to a ping failure.
    fileprivate func inTLS<Value>(_ body: () throws(TLSSession.Failure) -> Value) throws(PingFailure) -> Value {
        do { return try body() } catch { throw failure(error.reason, error.message) }
    }
}

/// The error that a peer has violated its protocol.
struct ProtocolViolation: Error, Equatable {
    let message: String
}
