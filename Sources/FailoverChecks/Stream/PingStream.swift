import FailoverCore
import FailoverSystem
import FailoverTLS
import Glibc

/// A connection to a server over TCP or TLS. The deadline of the attempt and a limit of received bytes hold for any
/// server.
struct PingStream: ~Copyable {
    private let connection: TCPConnection
    private let tls: TLSChannel?
    private let attempt: PingAttempt
    /// The number of bytes received so far, without those of TLS.
    private var received = 0

    /// The maximum number of bytes that a ping receives. Real servers send a few KiB.
    private static let mostBytes = 64 << 10
    /// How often a server may send TLS records without data while bytes are awaited.
    private static let mostPauses = 16

    private init(_ connection: consuming TCPConnection, _ tls: TLSChannel?, _ attempt: PingAttempt) {
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
        let settings = TLSClientSettings(verification: .name(host), serverName: host, authorities: authorities)
        let context = try attempt.inTLS { () throws(TLSFailure) in try TLSContext.client(settings) }
        let connection = try TCPConnection.connected(attempt)
        attempt.reached(.login)
        let socket = connection.descriptor
        let channel = try attempt.inTLS { () throws(TLSFailure) in try TLSChannel(context, descriptor: socket) }
        while let readiness = try attempt.inTLS({ () throws(TLSFailure) in try channel.handshake() }) {
            // A handshake may stop after some records, and the rest may have arrived.
            if !channel.mayHaveMore { try attempt.wait(for: readiness, on: socket) }
        }
        return PingStream(connection, channel, attempt)
    }

    /// Sends all bytes.
    func send(_ bytes: [UInt8]) throws(PingFailure) {
        guard let tls else { return try connection.send(bytes, attempt) }
        var rest = bytes[...]
        while !rest.isEmpty {
            switch rest.withUnsafeBytes({ tls.send($0) }) {
            case .bytes(let count): rest = rest.dropFirst(count)
            case .wouldBlock(let readiness): try attempt.wait(for: readiness, on: connection.descriptor)
            case .paused: continue
            // The peer may have sent the reason, which the next ``receive()`` returns.
            case .ended, .truncated, .failed: return
            }
        }
    }

    /// Waits for bytes. The result is never empty.
    ///
    /// - Throws: `.disconnected` at the end of the stream, `.protocolViolation` if the limit of received bytes is
    ///   exceeded.
    mutating func receive() throws(PingFailure) -> ArraySlice<UInt8> {
        let bytes = if let tls { try decrypted(tls) } else { try connection.receive(attempt) }
        received += bytes.count
        guard received <= Self.mostBytes else {
            throw attempt.failure(.protocolViolation, "sent more than \(Self.mostBytes >> 10) KiB to a ping")
        }
        return bytes
    }

    private func decrypted(_ tls: TLSChannel) throws(PingFailure) -> ArraySlice<UInt8> {
        var (buffer, pauses) = ([UInt8](repeating: 0, count: 4096), 0)
        while true {
            switch buffer.withUnsafeMutableBytes({ tls.receive(into: $0) }) {
            case .bytes(let count): return buffer[..<count]
            case .wouldBlock(let readiness): try attempt.wait(for: readiness, on: connection.descriptor)
            case .paused where pauses < Self.mostPauses: pauses += 1
            case .paused: throw attempt.failure(.protocolViolation, "sends TLS records without data")
            case .ended, .truncated: throw attempt.failure(.disconnected, "closed the connection")
            case .failed(EPROTO): throw attempt.failure(.tls, tls.failure?.message ?? "TLS failed")
            case .failed(let code): throw attempt.failure(SystemError(code))
            }
        }
    }

    /// Ends the TLS session and closes the connection properly.
    consuming func closeInOrder() {
        _ = tls?.endSending()
        connection.closeInOrder(before: attempt.deadline)
    }
}

extension PingAttempt {
    /// Converts a TLS failure to a ping failure.
    fileprivate func inTLS<Value>(_ body: () throws(TLSFailure) -> Value) throws(PingFailure) -> Value {
        do {
            return try body()
        } catch {
            switch error.cause {
            case .local: throw failure(.local, error.message)
            case .certificate, .peer: throw failure(.tls, error.message)
            case .connection: throw failure(.disconnected, error.message)
            }
        }
    }

    fileprivate func wait(for readiness: TLSReadiness, on socket: Int32) throws(PingFailure) {
        try wait(for: readiness == .readable ? POLLIN : POLLOUT, on: socket)
    }
}

/// The error that a peer has violated its protocol.
struct ProtocolViolation: Error, Equatable {
    let message: String
}
