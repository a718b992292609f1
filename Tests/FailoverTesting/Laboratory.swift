package import FailoverCore
import Glibc
import Testing

/// The real servers of `scripts/lab`, if the environment says where they are (`FAILOVER_LAB` and `scripts/lab env`).
/// These are the primaries, because other tests play faults on the replicas.
package enum Laboratory {
    package static var isOpen: Bool { variable("FAILOVER_LAB") != nil }

    /// Path of the certificate of the authority that signed the servers' certificates.
    package static var authorities: String? { variable("LAB_TLS_CA") }

    package static let password = Secret("monitor-secret")

    package static func port(_ engine: DatabaseServer.Engine) -> UInt16 {
        switch engine {
        case .postgres: variable("LAB_PG_PRIMARY_PORT").flatMap { UInt16($0) } ?? 15432
        case .mysql, .tcp: variable("LAB_MY_PRIMARY_PORT").flatMap { UInt16($0) } ?? 13306
        }
    }

    package static func server(
        _ engine: DatabaseServer.Engine, host: String = "127.0.0.1", user: String = "monitor",
        password: Secret? = password, tls: DatabaseServer.TLSMode = .prefer, tlsAuthorities: String? = nil,
        pingQuery: String = "SELECT 1", role: DatabaseServer.Role? = nil
    ) -> DatabaseServer {
        DatabaseServer(
            engine: engine, endpoint: .tcp(host: host, port: port(engine)), user: user,
            password: password, databaseName: engine == .postgres ? "postgres" : nil, tls: tls,
            tlsAuthorities: tlsAuthorities, pingQuery: pingQuery, role: role)
    }

    package static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
