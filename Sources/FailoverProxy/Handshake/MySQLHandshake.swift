import FailoverCore

/// A MySQL server sends first: its greeting is the proof. An error packet instead, a close or silence is not.
struct MySQLHandshake {
    /// The current backend's bytes.
    private var heard: [UInt8] = []

    mutating func connected() -> HandshakeStep {
        heard = []
        return .awaitBackend(sending: [])
    }

    mutating func backendSent(_ bytes: [UInt8]) -> HandshakeStep {
        heard += bytes
        return switch heard.withUnsafeBytes(MySQLFirstPacket.init) {
        case .incomplete: .awaitBackend(sending: [])
        case .greeting: .proven(heard)
        case .error(let code, let message): .failed(.refused(Self.kind(of: code), "\(code): \(message)"))
        case .malformed: .failed(.malformed("not a MySQL greeting"))
        }
    }

    /// The kind of an error that a server sends instead of a greeting.
    private static func kind(of code: UInt16) -> BackendErrorKind {
        ServerError(mySQLCode: Int(code))?.kind ?? .earlyClose
    }
}
