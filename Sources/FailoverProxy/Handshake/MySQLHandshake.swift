import FailoverCore

/// MySQL's server speaks first: a greeting is proof. An error packet in its place, a close or silence is not.
struct MySQLHandshake {
    /// What the present backend has said.
    private var heard: [UInt8] = []

    mutating func connected() -> Handshake.Step {
        heard = []
        return .awaitBackend(sending: [])
    }

    mutating func backendSent(_ bytes: [UInt8]) -> Handshake.Step {
        heard += bytes
        return switch heard.withUnsafeBytes(MySQLFirstPacket.init) {
        case .incomplete: .awaitBackend(sending: [])
        case .greeting: .proven(heard)
        case .error(let code, let message): .failed(.refused(Self.kind(of: code), "\(code): \(message)"))
        case .malformed: .failed(.malformed("no greeting of a MySQL server"))
        }
    }

    /// What an error before the greeting says of the server.
    private static func kind(of code: UInt16) -> BackendErrorKind {
        ServerError(mySQLCode: Int(code))?.kind ?? .earlyClose
    }
}
